import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { MessageId, TenantId } from '@libs/kernel';
import { waitFor } from '../support/wait-for';
import { SendingStack } from '../worker/sending-stack';

const ROOT = path.resolve(__dirname, '../..');
const MAIN = path.join(ROOT, 'dist/apps/worker/src/main.js');
/** A process that may write no larger file fares like one whose disk is full, once the signal does not end it. */
const BEAR_THE_SIGNAL = 'data:text/javascript,process.on("SIGXFSZ",()=>{})';
/** Of a claim's line. */
const CLAIM_BYTES = 76;

describe('a disk that is full under the flight recorder', () => {
  let stack: SendingStack;
  let child: ChildProcess;
  let said = '';
  let tenant: TenantId;
  const accepted: MessageId[] = [];

  beforeAll(async () => {
    if (!existsSync(MAIN)) throw new Error('build the worker first: npm run build');
    stack = await SendingStack.start();
    await stack.account({ maxSendRate: 200 });
    tenant = await stack.tenant('shop');
    child = spawn(process.execPath, ['--import', BEAR_THE_SIGNAL, MAIN], { env: stack.workerEnvironment() });
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  });
  afterAll(async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await stack.close();
  });

  const record = () =>
    readdirSync(stack.recorderDir)
      .filter((name) => name.includes(`.${String(child.pid)}.`))
      .map((name) => readFileSync(path.join(stack.recorderDir, name), 'utf8'))
      .join('');
  const limit = (bytes: number | 'unlimited') => {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(child.pid), `--fsize=${String(bytes)}:`]);
    if (status !== 0) throw new Error(`prlimit: ${String(stderr)}`);
  };

  const allSent = () =>
    waitFor(async () => (await stack.states(tenant))['SENT'] === accepted.length, {
      what: `${String(accepted.length)} messages to be sent`,
      withinMs: 60_000,
      everyMs: 200,
    });
  /** Batches whose claim is noted and whose end is not. */
  const open = () => {
    const whole = record()
      .split('\n')
      .filter((line) => !line.endsWith(' !'));
    const count = (mark: string) => whole.filter((line) => line.startsWith(mark)).length;
    return count('C ') - count('D ');
  };

  it.each([
    ['before a claim', 20],
    ['between a claim and its requests', CLAIM_BYTES + 20],
  ])(
    'full %s, it lets nothing be sent that is not noted whole, is reported, and loses and doubles nothing',
    async (_, left) => {
      accepted.push(...(await stack.accept(tenant, 'shop', 20)));
      await allSent();
      await waitFor(() => open() === 0, { what: 'the last batch to be closed' });
      said = '';
      limit(record().length + left);
      const ids = await stack.accept(tenant, 'shop', 40);
      await waitFor(() => /(EFBIG|ENOSPC).*the flight recorder cannot be written.*disk of RECORDER_DIR/.test(said), {
        what: 'the worker to say what is wrong',
        withinMs: 30_000,
      });
      expect((await stack.judge(ids)).lost).toBe(ids.length);
      limit('unlimited');
      accepted.push(...ids);
      await allSent();
      expect(await stack.judge(accepted)).toEqual({ lost: 0, duplicated: 0 });
      expect(await stack.excess()).toEqual({ overQuota: 0, overRate: 0 });
      const noted = record().split('\n');
      const requests = (await stack.accepted()).map(({ tags }) => `S ${tags?.['attempt'] ?? ''}`);
      expect(requests.filter((line) => !noted.includes(line))).toEqual([]);
    },
    150_000,
  );
});
