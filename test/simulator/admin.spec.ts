import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetAccountCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { SimulatorAdminClient, startSimulator } from '../../apps/simulator/src';
import { waitFor } from '../support/wait-for';
import { ACCOUNT, mailTo, OWNER, refusal, REGION, SimulatedFleet } from './simulated-fleet';

describe('faults of the simulator', () => {
  let fleet: SimulatedFleet;
  beforeEach(async () => {
    fleet = await SimulatedFleet.start();
    await fleet.verifiedDomain();
  });
  afterEach(() => fleet.close());

  it.each([
    ['429', 'TooManyRequestsException', 429],
    ['500', 'InternalFailure', 500],
    ['503', 'ServiceUnavailable', 503],
  ] as const)('answers %s as often as asked, accepts nothing then, and counts it apart', async (kind, name, status) => {
    await fleet.admin.addFault({ operation: 'SendEmail', kind, count: 2 });
    const send = (): Promise<unknown> => fleet.ses().send(mailTo('bob@example.com'));
    await expect(refusal(send())).resolves.toMatchObject({ name, status });
    await expect(refusal(send())).resolves.toMatchObject({ name, status });
    await send();
    const [reading] = await fleet.admin.meters();
    expect(reading?.meter).toMatchObject({
      acceptedRequests: 1,
      offeredRequests: 1,
      refused: {},
      injected: { [name]: 2 },
      overRate: 0,
    });
  });

  it.each(['accept-then-reset', 'accept-then-500', 'wrong-json'] as const)(
    'accepts and then fails on %s: the mail is sent although nobody was told',
    async (kind) => {
      const { webhook } = await fleet.withEvents();
      await fleet.admin.addFault({ operation: 'SendEmail', account: ACCOUNT, kind, count: 1 });
      await refusal(fleet.ses().send(mailTo('bob@example.com', { ConfigurationSetName: 'pf-events' })));
      await webhook.event('Send');
      const { arrivals } = await fleet.admin.arrivals(0, 10_000);
      expect(arrivals.at(-1)).toMatchObject({ operation: 'SendEmail', verdict: 'accepted', injected: kind });
      expect((await fleet.admin.meters())[0]?.meter.acceptedRequests).toBe(1);
    },
  );

  it('resets before accepting, and hangs until the client gives up', async () => {
    await fleet.admin.addFault({ operation: 'SendEmail', kind: 'reset-before', count: 1 });
    await expect(refusal(fleet.ses().send(mailTo('bob@example.com')))).resolves.toMatchObject({
      message: expect.stringMatching(/ECONNRESET|socket hang up/) as string,
    });
    await fleet.admin.addFault({ operation: 'GetAccount', kind: 'hang', count: 1 });
    const abort = new AbortController();
    const hung = refusal(fleet.ses().send(new GetAccountCommand({}), { abortSignal: abort.signal }));
    setTimeout(() => {
      abort.abort();
    }, 100);
    await expect(hung).resolves.toMatchObject({ name: 'AbortError' });
    expect((await fleet.admin.meters())[0]?.meter).toMatchObject({
      acceptedRequests: 0,
      injected: { 'reset-before': 1 },
    });
  });

  it('accepts, and keeps the second half of its answer back', async () => {
    await fleet.admin.addFault({ operation: 'SendEmail', kind: 'slow-body', delayMs: 60_000, count: 1 });
    const abort = new AbortController();
    const slow = refusal(fleet.ses().send(mailTo('bob@example.com'), { abortSignal: abort.signal }));
    const last = async () => (await fleet.admin.arrivals(0, 10_000)).arrivals.at(-1);
    await waitFor(async () => (await last())?.operation === 'SendEmail', { what: 'the mail to arrive' });
    abort.abort();
    await expect(slow).resolves.toBeDefined();
    expect(await last()).toMatchObject({ verdict: 'accepted', injected: 'slow-body' });
  });

  it('leaves other accounts, regions and operations alone, and is gone when cleared', async () => {
    await fleet.admin.addFault({ operation: 'SendEmail', region: 'eu-west-1', kind: '500' });
    await fleet.admin.addFault({ operation: 'SendEmail', account: '000000000000', kind: '500' });
    await fleet.ses().send(mailTo('bob@example.com'));
    await fleet.admin.addFault({ kind: '503' });
    await expect(refusal(fleet.sts(OWNER).send(new GetCallerIdentityCommand({})))).resolves.toMatchObject({
      status: 503,
    });
    await fleet.admin.clearFaults();
    await fleet.sts(OWNER).send(new GetCallerIdentityCommand({}));
  });
});

describe('the simulator over restarts', () => {
  it('goes on with its accounts, quota use, meters, arrivals, authority and undelivered events', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pf-simulator-'));
    const first = await SimulatedFleet.start({ dataDir, snsRetryDelaysMs: [60_000] });
    await first.verifiedDomain();
    const { webhook } = await first.withEvents('2', (count) => (count === 1 ? 200 : 503));
    const session = await first.assume();
    const { MessageId: messageId } = await first
      .ses()
      .send(mailTo(['a@example.com', 'b@example.com'], { ConfigurationSetName: 'pf-events' }));
    await webhook.event('Delivery');
    const meters = await first.admin.meters();
    await first.simulator.close();
    await expect(readFile(join(dataDir, 'ca.pem'), 'utf8')).resolves.toBe(first.simulator.caPem);

    const second = await startSimulator({ dataDir });
    expect(second.caPem).toBe(first.simulator.caPem);
    const ses = new SESv2Client({ endpoint: second.endpoint, region: REGION, credentials: OWNER, maxAttempts: 1 });
    await expect(ses.send(new GetAccountCommand({}))).resolves.toMatchObject({
      SendQuota: { Max24HourSend: 1000, SentLast24Hours: 2 },
    });
    const asSession = new SESv2Client({
      endpoint: second.endpoint,
      region: REGION,
      credentials: session,
      maxAttempts: 1,
    });
    await asSession.send(mailTo('c@example.com'));
    const admin = new SimulatorAdminClient(second.adminUrl);
    const log = await admin.arrivals(0, 10_000);
    expect(log.arrivals.map((one) => one.seq)).toEqual(log.arrivals.map((_, i) => i + 1));
    expect(log.arrivals.filter((one) => one.messageId === messageId)).toHaveLength(1);
    expect((await admin.meters())[0]?.meter.acceptedRequests).toBe((meters[0]?.meter.acceptedRequests ?? 0) + 1);
    await waitFor(() => webhook.posted.length >= 5, { what: 'what was not delivered to come again' });
    const ids = webhook.posted.filter((one) => one.body['Type'] === 'Notification').map((one) => one.body['MessageId']);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(2);
    ses.destroy();
    asSession.destroy();
    await second.close();
    await first.close();
    await rm(dataDir, { recursive: true });
  });

  it('is not hurt by a kill in the middle of a write', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pf-simulator-'));
    const first = await SimulatedFleet.start({ dataDir });
    await first.verifiedDomain();
    await first.ses().send(mailTo('a@example.com'));
    const { total } = await first.admin.arrivals(0, 1);
    await first.close();
    // What a kill leaves: half a line in the log, half a file beside the state.
    await appendFile(join(dataDir, 'arrivals.jsonl'), '{"seq":99,"time":"2026-');
    await writeFile(join(dataDir, 'state.json.tmp'), '{"version":1,"acc');
    const second = await startSimulator({ dataDir });
    const admin = new SimulatorAdminClient(second.adminUrl);
    expect((await admin.arrivals(0, 10)).total).toBe(total);
    const ses = new SESv2Client({ endpoint: second.endpoint, region: REGION, credentials: OWNER, maxAttempts: 1 });
    await ses.send(mailTo('b@example.com'));
    const log = await admin.arrivals(total, 10);
    expect(log.arrivals.map((one) => [one.seq, one.verdict])).toEqual([[total + 1, 'accepted']]);
    ses.destroy();
    await second.close();
    await rm(dataDir, { recursive: true });
  });

  it('verifies after its return what a stop left pending', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pf-simulator-'));
    const first = await SimulatedFleet.start({ dataDir, verifyDelayMs: 60_000 });
    await first.verifiedDomain();
    await first.close();
    const second = await startSimulator({ dataDir, verifyDelayMs: 0 });
    const ses = new SESv2Client({ endpoint: second.endpoint, region: REGION, credentials: OWNER, maxAttempts: 1 });
    await expect(ses.send(mailTo('a@example.com'))).resolves.toMatchObject({ MessageId: expect.any(String) as string });
    ses.destroy();
    await second.close();
    await rm(dataDir, { recursive: true });
  });

  it('says which port is taken and how to choose another', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    await expect(startSimulator({ port })).rejects.toThrow(
      `SIMULATOR_PORT: port ${port} on 127.0.0.1 is taken. Stop the program that uses it, or set SIMULATOR_PORT to a free port.`,
    );
    await expect(startSimulator({ adminPort: port })).rejects.toThrow('SIMULATOR_ADMIN_PORT');
    await new Promise((resolve) => blocker.close(resolve));
  });

  it('starts afresh on reset, with the same authority', async () => {
    const fleet = await SimulatedFleet.start();
    await fleet.verifiedDomain();
    const { webhook } = await fleet.withEvents();
    await fleet.ses().send(mailTo('a@example.com', { ConfigurationSetName: 'pf-events' }));
    await webhook.event('Delivery');
    await fleet.admin.reset();
    expect(await fleet.admin.summary()).toMatchObject({
      arrivals: 0,
      acceptedRequests: 0,
      events: { published: {}, waiting: 0 },
      deliveries: { queued: 0, delivered: 0 },
    });
    await expect(refusal(fleet.ses().send(new GetAccountCommand({})))).resolves.toMatchObject({
      name: 'UnrecognizedClientException',
    });
    await expect(fleet.admin.caPem()).resolves.toBe(fleet.simulator.caPem);
    await fleet.close();
  });

  it('hears no more, after a reset, of what it was delivering', async () => {
    const fleet = await SimulatedFleet.start();
    await fleet.verifiedDomain();
    let answer = (): void => undefined;
    const isReset = new Promise<void>((resolve) => (answer = resolve));
    const { webhook } = await fleet.withEvents('1', async (count) => {
      if (count > 1) await isReset;
      return count === 3 ? 503 : 200;
    });
    await fleet.ses().send(mailTo('a@example.com', { ConfigurationSetName: 'pf-events' }));
    await webhook.event('Delivery');
    await fleet.admin.reset();
    answer();
    for (let look = 0; look < 20; look += 1) {
      const { deliveries } = await fleet.admin.summary();
      expect(deliveries).toEqual({ queued: 0, delivered: 0, refused: 0, retried: 0, dropped: 0, pending: 0 });
    }
    expect(webhook.posted).toHaveLength(3);
    await fleet.close();
  });
});

describe('the admin API', () => {
  let fleet: SimulatedFleet;
  beforeAll(async () => {
    fleet = await SimulatedFleet.start();
  });
  afterAll(() => fleet.close());

  it('refuses what it cannot do, and names the field', async () => {
    await expect(fleet.admin.putAccount('12', {})).rejects.toThrow('400: {"error":"account id 12 is not 12 digits"}');
    await expect(fleet.admin.putAccount(ACCOUNT, { regions: { [REGION]: { max24HourSend: -5 } } })).rejects.toThrow(
      'regions.us-east-1.max24HourSend',
    );
    const role = { arn: `arn:aws:iam::${ACCOUNT}:role/x`, trustPolicy: '{}' };
    await expect(fleet.admin.putAccount(ACCOUNT, { roles: [role] })).rejects.toThrow('malformed');
    await expect(fleet.admin.account('000000000000')).rejects.toThrow('404');
    await expect(fleet.admin.addFault({ kind: 'meteor' as 'hang' })).rejects.toThrow('kind');
    expect((await fetch(`${fleet.simulator.adminUrl}/nothing`)).status).toBe(404);
    expect((await fetch(`${fleet.simulator.adminUrl}/reset`)).status).toBe(405);
  });

  it('pages the arrival log, also as JSON lines', async () => {
    for (let i = 0; i < 5; i += 1) await fleet.sts(OWNER).send(new GetCallerIdentityCommand({}));
    const page = await fleet.admin.arrivals(2, 2);
    expect(page.arrivals.map((one) => one.seq)).toEqual([3, 4]);
    expect(page.next).toBe(4);
    const seen: number[] = [];
    for await (const arrival of fleet.admin.allArrivals()) seen.push(arrival.seq);
    expect(seen).toEqual(Array.from({ length: page.total }, (_, i) => i + 1));
    const lines = await (await fetch(`${fleet.simulator.adminUrl}/arrivals?format=jsonl`)).text();
    expect(lines.trim().split('\n')).toHaveLength(page.total);
  });

  it('publishes at once what falls due when its clock is advanced', async () => {
    await fleet.verifiedDomain();
    const { webhook } = await fleet.withEvents();
    await fleet.admin.putDomain('slow.example', { delayMs: 3_600_000 });
    await fleet.ses().send(mailTo('a@slow.example', { ConfigurationSetName: 'pf-events' }));
    await webhook.event('Send');
    expect(webhook.events.map((one) => one.eventType)).toEqual(['Send']);
    await fleet.admin.moveClock({ advanceMs: 2 * 3_600_000 });
    await webhook.event('Delivery');
  });

  it('drives the clock: forward, and faster without a jump', async () => {
    const before = await fleet.admin.clock();
    const after = await fleet.admin.moveClock({ advanceMs: 86_400_000 });
    expect(after.nowMs - before.nowMs).toBeGreaterThanOrEqual(86_400_000);
    const fast = await fleet.admin.moveClock({ speed: 1000 });
    expect(fast.nowMs - after.nowMs).toBeLessThan(5000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await fleet.admin.clock()).nowMs - fast.nowMs).toBeGreaterThan(49_000);
  });
});
