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
  });
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

    // Another connection may be one to another server: it is looked at.
    await admin.config('SET', 'maxmemory-policy', 'volatile-ttl');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await waitFor(
      async () => {
        const refused = await ask().catch((error: unknown) => error);
        return (refused as { reason?: string }).reason === 'evicting';
      },
      { what: 'the ledger to be refused', everyMs: 100 },
    );
  });

  it('is not ready to be worked with while it takes no writes', async () => {
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    await waitFor(() => connection.checkWrites().then(() => true), { what: 'the connection' });
    for (const [setting, refusing, usual, said] of [
      ['maxmemory', '1', '0', /^OOM/],
      ['min-replicas-to-write', '1', '0', /^NOREPLICAS/],
    ] as const) {
      await admin.config('SET', setting, refusing);
      await expect(connection.checkWrites()).rejects.toThrow(said);
      await admin.config('SET', setting, usual);
      await expect(connection.checkWrites()).resolves.toBeUndefined();
    }
  });

  it('is found while we are connected, and the ledger is stale where keys were thrown away', async () => {
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    const clock = new EngineClock();
    const ledger = new Ledger(new ScriptRunner(connection, clock), clock);
    const account = newId<SendingAccountId>();
    const limits = { quota: 1_000n, rate: { num: 10, den: 1 }, sesSent: 0n };
    let epoch = 1n;
    const rebuilt = () => ledger.rebuild(account, epoch, limits, [], new Map(), 0);
    await waitFor(() => rebuilt().catch(() => false), { what: 'the connection' });
    const ask = () => ledger.acquire(account, { opId: newId(), epoch, want: 1, leadMs: 1, sliceMs: 1, workers: 1 });
    expect((await ask()).kind).toBe('empty');

    await admin.config('SET', 'maxmemory-policy', 'volatile-ttl');
    ledger.askServersAnew();
    await expect(ask()).rejects.toMatchObject({ name: 'LedgerUnavailable', reason: 'evicting' });
    await expect(ask()).rejects.toThrow(/volatile-ttl.*CONFIG SET maxmemory-policy noeviction/);
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    expect((await ask()).kind).toBe('empty');

    // For a moment between two looks: the ledger itself is still there, its neighbours are not.
    await admin.setex('filler', 60, 'x'.repeat(1_000_000));
    await admin.config('SET', 'maxmemory-policy', 'volatile-ttl');
    await admin.config('SET', 'maxmemory', '1');
    await admin.set('one', 'more').catch(() => undefined);
    await admin.config('SET', 'maxmemory', '0');
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    expect(await admin.exists('filler', `pf:{${account}}:led`)).toBe(1);
    ledger.askServersAnew();
    expect((await ask()).kind).toBe('stale');
    epoch = 2n;
    expect(await rebuilt()).toBe(true);
    expect((await ask()).kind).toBe('empty');
  });
});
