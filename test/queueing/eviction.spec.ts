import { EngineClock, newId, type SendingAccountId } from '@libs/kernel';
import { checkRedis, openEngineRedis, RedisUnusable, type EngineRedis } from '@libs/queueing';
import { Ledger } from '@libs/quota';
import { Redis } from 'ioredis';
import { ScriptRunner } from '../../libs/quota/src/script-runner.repository';
import { temporaryFolder } from '../stack/fixtures';
import { startRedis } from '../support/redis-cluster';
import { waitFor } from '../support/wait-for';

/** A real server that throws keys away when its memory is full. */
describe('a Redis that evicts keys', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let url: string;
  let admin: Redis;
  let connection: EngineRedis;

  beforeAll(async () => {
    server = await startRedis(temporaryFolder(), ['maxmemory-policy allkeys-lru']);
    url = server.url;
    admin = new Redis(url, { retryStrategy: () => 100, maxRetriesPerRequest: null });
    await admin.ping();
    connection = openEngineRedis(url);
    connection.on('error', () => undefined);
    await connection.connect();
  }, 30_000);
  afterAll(async () => {
    connection.disconnect();
    admin.disconnect();
    await server.stop();
  });

  it('stops the start of a process, and is told how to mend it', async () => {
    await expect(checkRedis(url)).rejects.toBeInstanceOf(RedisUnusable);
    await expect(checkRedis(url)).rejects.toThrow(/^REDIS_URL: .*allkeys-lru.*CONFIG SET maxmemory-policy noeviction/);
  });

  it('serves no ledger, and serves it once it is mended', async () => {
    const ledger = new Ledger(new ScriptRunner(connection, new EngineClock()), new EngineClock());
    const account = newId<SendingAccountId>();
    const ask = () => ledger.acquire(account, { opId: newId(), epoch: 1n, want: 1, leadMs: 1, sliceMs: 1, workers: 1 });
    await expect(ask()).rejects.toMatchObject({ name: 'LedgerUnavailable', reason: 'evicting' });
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    await expect(checkRedis(url)).resolves.toBeUndefined();
    expect((await ask()).kind).toBe('stale');

    // Changed while we are connected: the next connection finds it.
    await admin.config('SET', 'maxmemory-policy', 'volatile-ttl');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await waitFor(
      async () => {
        const refused = await ask().catch((error: unknown) => error);
        return (refused as { reason?: string }).reason === 'evicting';
      },
      { what: 'the ledger to be refused', withinMs: 10_000, everyMs: 100 },
    );
  }, 20_000);
});
