import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EngineClock, newId, type MessageId, type SendingAccountId, type TenantId } from '@libs/kernel';
import { openEngineRedis, type EngineRedis } from '@libs/queueing';
import { Ledger, parseRate } from '@libs/quota';
import { BullClients } from '../../libs/queueing/src/bull-clients';
import { parseRedisUrl } from '@libs/config';
import Bull from 'bull';
import { Redis } from 'ioredis';
import { ScriptRunner } from '../../libs/quota/src/script-runner.repository';
import { startRedisCluster, type RedisCluster } from '../support/redis-cluster';
import { waitFor } from '../support/wait-for';

const tenant = '00000000-0000-7000-8000-0000000000b1' as TenantId;
const limits = { quota: 1_000n, rate: parseRate('100'), sesSent: 0n };
const free = { weight: 1, dayCap: null, rate: null };

describe('on a Redis Cluster of three masters with a replica each', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pf-cluster-'));
  const accounts = Array.from({ length: 12 }, () => newId<SendingAccountId>());
  let cluster: RedisCluster;
  let redis: EngineRedis;
  let ledger: Ledger;

  const acquire = (account: SendingAccountId, opId = newId<MessageId>(), epoch = 1n) =>
    ledger.acquire(account, { opId, epoch, want: 100, leadMs: 100, sliceMs: 1_000, workers: 1 });
  const offer = (account: SendingAccountId, count: number) =>
    ledger.offer(
      account,
      tenant,
      'MARKETING',
      free,
      Array.from({ length: count }, () => ({ id: newId<MessageId>(), recipients: 1 })),
    );
  /** The port of the master that holds the account's slot. */
  const ownerOf = async (account: SendingAccountId): Promise<number> => {
    const probe = new Redis({ port: cluster.nodes.find(({ pid }) => pid > 0)!.port, host: '127.0.0.1' });
    const slot = Number(await probe.call('CLUSTER', 'KEYSLOT', `pf:{${account}}:led`));
    const ranges = (await probe.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
    probe.disconnect();
    return ranges.find(([from, to]) => from <= slot && slot <= to)![2][1];
  };

  beforeAll(async () => {
    cluster = await startRedisCluster(folder, { replicas: true });
    redis = openEngineRedis(cluster.url);
    redis.on('error', () => undefined);
    await redis.connect();
    const clock = new EngineClock();
    ledger = new Ledger(new ScriptRunner(redis, clock), clock);
    for (const account of accounts) await ledger.rebuild(account, 1n, limits, [], new Map(), 0);
  }, 90_000);

  afterAll(async () => {
    redis.disconnect();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('every account has its ledger on the node that owns its slot, and is granted from there', async () => {
    const owners = new Set<number>();
    for (const account of accounts) {
      owners.add(await ownerOf(account));
      expect(await offer(account, 3)).toBe(3);
      expect(await acquire(account)).toMatchObject({ kind: 'grant', recipients: 3 });
      expect(await ledger.isCurrent(account, 1n)).toBe(true);
    }
    expect(owners.size).toBe(3);
  });

  it('sends its scripts again to every node that has forgotten them', async () => {
    for (const { port } of cluster.nodes.slice(0, 3)) {
      const node = new Redis({ port, host: '127.0.0.1' });
      await node.script('FLUSH');
      node.disconnect();
    }
    for (const account of accounts) expect(await offer(account, 1)).toBe(1);
  });

  it('hears what is published where a password is needed, too', async () => {
    const servers = cluster.nodes.map(({ port }) => new Redis({ port, host: '127.0.0.1' }));
    const guarded = openEngineRedis(cluster.url.replace('//', '//:secret@'));
    guarded.on('error', () => undefined);
    let heard = 0;
    let stop = (): void => undefined;
    try {
      await Promise.all(servers.map((server) => server.config('SET', 'requirepass', 'secret', 'masterauth', 'secret')));
      await guarded.connect();
      stop = guarded.listen('pf:test', () => (heard += 1));
      // Until the listener is connected, what is published is lost.
      await waitFor(() => guarded.publish('pf:test', '').then(() => heard > 0), { what: 'the listener to hear' });
    } finally {
      stop();
      await Promise.all(servers.map((server) => server.config('SET', 'requirepass', '', 'masterauth', '')));
      for (const server of servers) server.disconnect();
      guarded.disconnect();
    }
  });

  it('grants nothing while a slot is on its way to another node, nor from there, until the ledger is rebuilt', async () => {
    const account = accounts[3]!;
    await offer(account, 3);
    const owner = await ownerOf(account);
    const masters = cluster.nodes.slice(0, 3).map(({ port }) => new Redis({ port, host: '127.0.0.1' }));
    const from = masters.find(({ options }) => options.port === owner)!;
    const to = masters.find((node) => node !== from)!;
    const [fromId, toId] = await Promise.all([from.cluster('MYID'), to.cluster('MYID')]);
    const led = `pf:{${account}}:led`;
    const slot = await from.cluster('KEYSLOT', led);
    const move = (keys: string[]) =>
      from.migrate('127.0.0.1', to.options.port!, '', 0, 5_000, 'KEYS', ...keys) as Promise<unknown>;
    await to.cluster('SETSLOT', slot, 'IMPORTING', fromId);
    await from.cluster('SETSLOT', slot, 'MIGRATING', toId);
    await move((await from.cluster('GETKEYSINSLOT', slot, 100)).filter((key) => key !== led));
    await expect(acquire(account)).rejects.toMatchObject({ name: 'LedgerUnavailable', reason: 'moving' });
    await move([led]);
    for (const master of masters) await master.cluster('SETSLOT', slot, 'NODE', toId);
    for (const master of masters) master.disconnect();
    const reply = await waitFor(() => acquire(account).catch(() => undefined), { what: 'the other node to answer' });
    expect(reply).toEqual({ kind: 'stale' });
    expect(await ledger.rebuild(account, 2n, limits, [], new Map(), 0)).toBe(true);
    await offer(account, 3);
    expect(await acquire(account, undefined, 2n)).toMatchObject({ kind: 'grant', recipients: 3 });
  });

  it('carries Bull’s jobs, delayed ones too, and blocks for new ones', async () => {
    const clients = new BullClients(parseRedisUrl(cluster.url)!);
    const queues = ['a', 'b', 'c', 'd'].map(
      (name) => new Bull(name, { createClient: clients.create, prefix: `bull:{${name}}` }),
    );
    const done: string[] = [];
    for (const queue of queues) {
      void queue.process('work', 1, (job: Bull.Job<{ n: number }>) => {
        done.push(`${queue.name}${String(job.data.n)}`);
        return Promise.resolve();
      });
    }
    for (const queue of queues) {
      await queue.add('work', { n: 1 }, { removeOnComplete: true });
      await queue.add('work', { n: 2 }, { delay: 200, removeOnComplete: true });
    }
    await waitFor(() => done.length === 8, { what: 'all jobs' });
    expect([...done].sort()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2', 'd1', 'd2']);
    await Promise.all(queues.map((queue) => queue.close()));
    clients.close();
  });

  it.each([
    ['out-of-memory', 'maxmemory', '1', '0'],
    ['read-only', 'min-replicas-to-write', '5', '0'],
  ])(
    'says that a server is %s, grants nothing there meanwhile, and goes on afterwards',
    async (reason, name, bad, good) => {
      const account = accounts[2]!;
      const node = new Redis({ port: await ownerOf(account), host: '127.0.0.1' });
      await offer(account, 2);
      await node.config('SET', name, bad);
      try {
        await expect(acquire(account)).rejects.toMatchObject({ name: 'LedgerUnavailable', reason });
        await expect(offer(account, 1)).rejects.toMatchObject({ reason });
      } finally {
        await node.config('SET', name, good);
        node.disconnect();
      }
      expect((await acquire(account)).kind).toBe('grant');
    },
  );

  it('grants nothing from a replica that took a lost master’s place, until the ledger is rebuilt; others go on', async () => {
    const [account] = accounts as [SendingAccountId];
    const port = await ownerOf(account);
    const other = (await Promise.all(accounts.map(async (one) => [one, await ownerOf(one)] as const))).find(
      ([, owner]) => owner !== port,
    )![0];
    await offer(account, 5);
    await offer(other, 5);
    const before = cluster.nodes.find((node) => node.port === port)!;
    await before.kill();
    expect((await acquire(other)).kind).toBe('grant');
    await expect(acquire(account)).rejects.toMatchObject({ name: 'LedgerUnavailable' });
    // Masters first, then a replica of each in the same order. It knows the epoch and the run id of the lost one.
    await cluster.nodes[cluster.nodes.indexOf(before) + 3]!.takeOver();
    const reply = await waitFor(() => acquire(account).catch(() => undefined), {
      what: 'a new master',
      withinMs: 30_000,
    });
    expect(reply).toEqual({ kind: 'stale' });
    // The node asked hears of the new owner by gossip, which may come after the owner's own answer.
    await waitFor(async () => (await ownerOf(account)) !== port, { what: 'the other nodes to know the new owner' });
    expect(await ledger.isCurrent(account, 1n)).toBe(false);
    expect(await ledger.rebuild(account, 2n, limits, [], new Map(), 0)).toBe(true);
    expect(await ledger.isCurrent(account, 2n)).toBe(true);
    await offer(account, 5);
    expect((await acquire(account, undefined, 2n)).kind).toBe('grant');
    await before.restart();
  });

  it('takes a master that was killed and came back for another server', async () => {
    const account = accounts[1]!;
    const port = await ownerOf(account);
    const node = cluster.nodes.find((one) => one.port === port)!;
    const { epoch } = (await ledger.stats(account))!;
    const run = (await ledger.stats(account))!.runId;
    await node.kill();
    await node.restart();
    await waitFor(() => ledger.stats(account).then(Boolean, () => false), { what: 'the master', withinMs: 30_000 });
    expect((await ledger.stats(account))!.runId).toBe(run);
    expect(await acquire(account, undefined, epoch)).toEqual({ kind: 'stale' });
  });
});
