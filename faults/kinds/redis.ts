import { rmSync } from 'node:fs';
import path from 'node:path';
import type { RedisPart } from '../../tools/local-stack/backing-services';
import type { Fault } from '../fault';
import type { World } from '../world';

const OUTAGE_MS = 5_000;
/** The design's bound for a ledger that has to be rebuilt. */
const REBUILD = { recoverySeconds: 30 };

async function setting(world: World, url: string, name: string, value: string): Promise<void> {
  await world.onRedis(url, (redis) => redis.config('SET', name, value));
}

/** One setting of the server is wrong for a while. */
async function withSetting(world: World, name: string, wrong: string, right: string): Promise<undefined> {
  const { url } = await world.redisVictim();
  await setting(world, url, name, wrong);
  await world.wait(OUTAGE_MS);
  await setting(world, url, name, right);
}

/** Kills the server, lets `meanwhile` happen to its files, and starts it. */
async function killed(world: World, meanwhile: (victim: RedisPart) => void = () => undefined): Promise<undefined> {
  const victim = await world.redisVictim();
  await victim.part.kill();
  meanwhile(victim);
  await world.wait(1_000);
  await victim.part.start();
}

export const redisFaults: readonly Fault[] = [
  {
    name: 'kill-redis',
    about: 'Redis is killed with SIGKILL and comes back with its append-only file',
    rows: '15',
    allow: REBUILD,
    inject: (world) => killed(world),
  },
  {
    name: 'kill-redis-no-aof',
    about: 'Redis is killed with SIGKILL and comes back empty',
    rows: '16',
    allow: REBUILD,
    inject: (world) =>
      killed(world, ({ folder }) => {
        rmSync(path.join(folder, 'data', 'appendonlydir'), { recursive: true, force: true });
      }),
  },
  {
    name: 'flushall',
    about: 'FLUSHALL',
    rows: '16',
    allow: REBUILD,
    inject: async (world) => {
      const { url } = await world.redisVictim();
      await world.onRedis(url, (redis) => redis.flushall());
      return undefined;
    },
  },
  {
    name: 'redis-restart',
    about: 'Redis is stopped cleanly and started',
    rows: '15',
    allow: REBUILD,
    inject: async (world) => {
      const { part } = await world.redisVictim();
      await part.stop();
      await part.start();
      return undefined;
    },
  },
  {
    name: 'redis-hang',
    about: 'Redis is frozen with SIGSTOP for 6 s: connections stay open, nothing answers',
    rows: 'F14',
    allow: REBUILD,
    inject: async (world) => {
      const { part } = await world.redisVictim();
      part.freeze();
      await world.wait(6_000);
      part.thaw();
      return undefined;
    },
  },
  {
    name: 'redis-oom',
    about: 'maxmemory is reached for 5 s: with noeviction every write is refused',
    rows: '17',
    allow: REBUILD,
    inject: (world) => withSetting(world, 'maxmemory', '1mb', '0'),
  },
  {
    name: 'redis-readonly',
    about: 'Redis takes no writes for 5 s: demoted to a replica, in a cluster short of replicas',
    rows: '17',
    allow: REBUILD,
    inject: async (world) => {
      if (world.isCluster) return withSetting(world, 'min-replicas-to-write', '1', '0');
      const { url } = await world.redisVictim();
      // A master that nobody runs: what is there stays there.
      await world.onRedis(url, (redis) => redis.replicaof('127.0.0.1', 1));
      await world.wait(OUTAGE_MS);
      await world.onRedis(url, (redis) => redis.replicaof('NO', 'ONE'));
      return undefined;
    },
  },
  {
    name: 'script-flush',
    about: 'SCRIPT FLUSH, ten times in 3 s',
    rows: 'F9',
    allow: { recoverySeconds: 5 },
    inject: async (world) => {
      const { url } = await world.redisVictim();
      for (let i = 0; i < 10; i += 1) {
        await world.onRedis(url, (redis) => redis.script('FLUSH'));
        await world.wait(300);
      }
      return undefined;
    },
  },
];
