import { EngineClock, newId, type MessageId, type SendingAccountId, type TenantId } from '@libs/kernel';
import { openEngineRedis, type EngineRedis } from '@libs/queueing';
import { Ledger, parseRate } from '@libs/quota';
import { ScriptRunner } from '../../libs/quota/src/script-runner.repository';
import { temporaryFolder } from '../stack/fixtures';
import { startRedis } from '../support/redis-cluster';
import { waitFor } from '../support/wait-for';

/** A real server that ends and begins again with what it has on its disk: it may lack the last second. */
describe('a Redis that is restarted', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let connection: EngineRedis;

  beforeAll(async () => {
    server = await startRedis(temporaryFolder(), ['maxmemory-policy noeviction']);
    connection = openEngineRedis(server.url);
    connection.on('error', () => undefined);
    await connection.connect();
  });
  afterAll(async () => {
    connection.disconnect();
    await server.stop();
  });

  it('grants nothing more until its ledgers are rebuilt, to processes that knew it before as well', async () => {
    const ledger = new Ledger(new ScriptRunner(connection, new EngineClock()), new EngineClock());
    const account = newId<SendingAccountId>();
    const ask = () =>
      ledger.acquire(account, { opId: newId(), epoch: 1n, want: 1, leadMs: 10, sliceMs: 1_000, workers: 1 });
    const limits = { quota: 1_000n, rate: parseRate('100'), sesSent: 0n };
    await ledger.rebuild(account, 1n, limits, [], new Map(), 0);
    const messages = Array.from({ length: 50 }, () => ({ id: newId<MessageId>(), recipients: 1 }));
    const free = { weight: 1, dayCap: null, rate: null };
    await ledger.offer(account, newId<TenantId>(), 'MARKETING', free, messages);
    expect((await ask()).kind).toBe('grant');

    await server.restart();
    const answer = await waitFor(() => ask(), { what: 'the connection' });
    expect(answer.kind).toBe('stale');
    expect(await ledger.isCurrent(account, 1n)).toBe(false);
    expect((await ledger.stats(account))?.used24h).toBe(1n);
  });
});
