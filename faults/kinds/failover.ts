import { rmSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { RedisPart } from '../../tools/local-stack/backing-services';
import type { Fault } from '../fault';
import type { World } from '../world';

/** How far behind the replica is when it is promoted. */
const LAG_MS = 2_000;
const LINKED_WITHIN_MS = 20_000;

function replicaOf(world: World): RedisPart {
  const replica = world.parts.redisReplica;
  if (!replica) throw new Error('this stack has no spare Redis');
  return replica;
}

const portOf = ({ url }: RedisPart) => Number(new URL(url).port);
const passwordOf = ({ url }: RedisPart) => new URL(url).password;

/** Resolves when this server follows its master without a gap. */
async function linked(world: World, server: RedisPart): Promise<void> {
  const isLinked = () =>
    world
      .onRedis(server.url, (redis) => redis.info('replication'))
      .then((info) => info.includes('role:slave') && info.includes('master_link_status:up'))
      .catch(() => false);
  if (!(await world.until(isLinked, LINKED_WITHIN_MS))) throw new Error('the replica did not reach its master');
}

function idOf(world: World, server: RedisPart): Promise<string> {
  return world.onRedis(server.url, (redis) => redis.cluster('MYID'));
}

async function follow(world: World, replica: RedisPart, master: RedisPart): Promise<void> {
  await replica.part.start();
  await world.onRedis(replica.url, (redis) => redis.config('SET', 'masterauth', passwordOf(master)));
  if (!world.isCluster) {
    await world.onRedis(replica.url, (redis) => redis.replicaof('127.0.0.1', portOf(master)));
  } else {
    const masterId = await idOf(world, master);
    await world.onRedis(replica.url, (redis) => redis.cluster('MEET', '127.0.0.1', portOf(master)));
    const replicate = (redis: Redis) => redis.cluster('REPLICATE', masterId);
    const accepted = () =>
      world.onRedis(replica.url, replicate).then(
        () => true,
        () => false,
      );
    await world.until(accepted, LINKED_WITHIN_MS);
  }
  await linked(world, replica);
}

/** The replica hears nothing more from its master: it may not even log in again. */
async function cutOff(world: World, replica: RedisPart, master: RedisPart): Promise<void> {
  await world.onRedis(replica.url, (redis) => redis.config('SET', 'masterauth', 'no-longer'));
  await world.onRedis(master.url, (redis) => redis.client('KILL', 'TYPE', 'replica'));
}

/** The old master follows the new one, takes its place back, and the replica is gone as if it had never been. */
async function undoInCluster(world: World, replica: RedisPart, master: RedisPart): Promise<void> {
  await master.part.start();
  await world.onRedis(master.url, (redis) => redis.config('SET', 'masterauth', passwordOf(master)));
  await linked(world, master);
  await world.onRedis(master.url, (redis) => redis.cluster('FAILOVER'));
  const isMaster = () =>
    world.onRedis(master.url, (redis) => redis.info('replication')).then((info) => info.includes('role:master'));
  await world.until(isMaster, LINKED_WITHIN_MS);
  const gone = await idOf(world, replica);
  await replica.part.stop();
  for (const { url } of world.parts.redis) await world.onRedis(url, (redis) => redis.cluster('FORGET', gone));
}

let master: RedisPart | undefined;

export const failoverFaults: readonly Fault[] = [
  {
    name: 'redis-failover-with-lag',
    about: `Redis dies and its replica takes over, ${LAG_MS / 1_000} s behind`,
    rows: '16',
    allow: { recoverySeconds: 30 },
    prepare: async (world) => {
      if (world.isCluster) await world.workers();
      else await world.workers(world.usualWorkers, (await world.proxied()).environment);
      master = await world.redisVictim();
      await follow(world, replicaOf(world), master);
    },
    inject: async (world) => {
      const replica = replicaOf(world);
      if (!master) throw new Error('nothing was prepared');
      await cutOff(world, replica, master);
      await world.wait(LAG_MS);
      await master.part.kill();
      if (world.isCluster) {
        await world.onRedis(replica.url, (redis) => redis.cluster('FAILOVER', 'TAKEOVER'));
        return undefined;
      }
      await world.onRedis(replica.url, (redis) => redis.replicaof('NO', 'ONE'));
      (await world.proxied()).redis.leadTo(portOf(replica));
      return undefined;
    },
    restore: async (world) => {
      const replica = replicaOf(world);
      if (!master) return;
      if (world.isCluster) await undoInCluster(world, replica, master);
      else {
        await master.part.start();
        (await world.proxied()).redis.leadTo(portOf(master));
        await replica.part.stop();
      }
      rmSync(replica.folder, { recursive: true, force: true });
    },
  },
];
