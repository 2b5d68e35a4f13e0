import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ACCOUNT, mailTo, REGION, SimulatedFleet } from './simulated-fleet';

const CONNECTIONS = 150;
const RATE = 75;
/** In that time as many may be sent as there are connections. */
const PAUSE_MS = (1_000 * CONNECTIONS) / RATE;

/** Sends the same bytes once over each of so many new connections, notes when all of them are on the way, and counts answers. */
const SENDERS = `
  const [port, count, note, request] = process.argv.slice(1);
  const left = { sent: Number(count), answered: Number(count) };
  const statuses = {};
  for (let i = 0; i < Number(count); i += 1) {
    const socket = require('node:net').connect(Number(port), '127.0.0.1', () => {
      socket.write(Buffer.from(request, 'base64'), () => {
        left.sent -= 1;
        if (left.sent === 0) require('node:fs').writeFileSync(note, '');
      });
    });
    socket.once('data', (data) => {
      const status = data.toString().split(' ')[1];
      statuses[status] = (statuses[status] ?? 0) + 1;
      socket.destroy();
      left.answered -= 1;
      if (left.answered === 0) console.log(JSON.stringify(statuses));
    });
  }`;

describe('a simulator that stands still while mail arrives over new connections', () => {
  let fleet: SimulatedFleet;
  const folder = mkdtempSync(path.join(tmpdir(), 'postfleet-pause-'));

  beforeAll(async () => {
    fleet = await SimulatedFleet.start();
    await fleet.verifiedDomain();
    const region = { max24HourSend: 100_000, maxSendRate: RATE, bucketCapacity: 1, productionAccess: true };
    await fleet.admin.putAccount(ACCOUNT, { regions: { [REGION]: region } });
    await fleet.ses().send(mailTo('bob@example.com'));
  });
  afterAll(async () => {
    await fleet.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('refuses nothing that could have come at the rate meanwhile, however long it takes to hear it', async () => {
    const note = path.join(folder, 'sent');
    const request = (await signedSend(fleet)).toString('base64');
    const { port } = new URL(fleet.simulator.endpoint);
    const senders = spawn(process.execPath, ['-e', SENDERS, port, String(CONNECTIONS), note, request]);
    let answer = '';
    senders.stdout.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    const ended = new Promise((resolve) => senders.once('close', resolve));
    standStill(() => existsSync(note));
    await ended;
    expect(JSON.parse(answer)).toEqual({ '200': CONNECTIONS });
  });
});

/** Nothing of this process goes on meanwhile, the simulator in it neither. */
function standStill(until: () => boolean): void {
  const began = performance.now();
  const since = () => performance.now() - began;
  while (since() < PAUSE_MS || (!until() && since() < 20_000));
}

/** The bytes of a signed SendEmail as the AWS client makes them. */
async function signedSend(fleet: SimulatedFleet): Promise<Buffer> {
  interface Signed {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Uint8Array;
  }
  let signed: Signed | undefined;
  const ses = fleet.ses();
  ses.middlewareStack.add(
    () => (args) => {
      signed = args.request as Signed;
      return Promise.reject(new Error('only signed'));
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  await ses.send(mailTo('bob@example.com')).catch(() => undefined);
  if (!signed) throw new Error('nothing was signed');
  const { method, path: to, headers, body } = signed;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return Buffer.concat([Buffer.from([`${method} ${to} HTTP/1.1`, ...lines, '', ''].join('\r\n')), body]);
}
