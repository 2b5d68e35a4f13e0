import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseRedisUrl } from '@libs/config';
import { openEngineRedis } from '@libs/queueing';
import { Redis } from 'ioredis';
import type { ChildSpec } from './child';
import type { RedisSource } from './redis-discovery';
import { StackProblem } from './stack-problem';

export interface RedisOptions {
  /** Of the process and its log; `redis` unless there are several. */
  readonly name?: string;
  readonly folder: string;
  readonly port: number;
  readonly password: string;
  /** Logical databases; tests use one per file. */
  readonly databases: number;
  /** `safe`: at most the last second is lost in a crash. `fast`: nothing is written to disk. */
  readonly durability: 'safe' | 'fast';
  /** A node of a cluster, which has one logical database. */
  readonly cluster?: boolean;
}

export function redisUrl({ port, password }: Pick<RedisOptions, 'port' | 'password'>, database = 0): string {
  return `redis://:${password}@127.0.0.1:${port}/${database}`;
}

/** How to start a Redis server of our own. Its password is in a file, because command lines can be read by everybody. */
export function prepareRedis(
  source: Extract<RedisSource, { kind: 'program' }>,
  options: RedisOptions,
  env: Readonly<Record<string, string>>,
): ChildSpec {
  const data = path.join(options.folder, 'data');
  const configuration = path.join(options.folder, 'redis.conf');
  mkdirSync(data, { recursive: true });
  writeFileSync(configuration, settings(options, data), { mode: 0o600 });
  const inherited = env['LD_LIBRARY_PATH'];
  const libraryPath = [source.libraryPath, inherited].filter((part) => part !== undefined && part !== '').join(':');
  return {
    name: options.name ?? 'redis',
    command: source.command,
    args: [configuration],
    env: libraryPath === '' ? { ...env } : { ...env, LD_LIBRARY_PATH: libraryPath },
    // Redis replaces its command line by "redis-server 127.0.0.1:<port>" once it has started.
    markers: [configuration, `127.0.0.1:${options.port}`],
    isReady: async () => (await askRedis(redisUrl(options))) === undefined,
    readyWithinMs: 30_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 10_000,
  };
}

/**
 * Makes sure that a server or cluster which somebody else runs is there.
 * @throws StackProblem when it does not answer
 */
export async function checkForeignRedis(url: string): Promise<void> {
  if (!parseRedisUrl(url))
    throw new StackProblem('REDIS_URL is set, but it is no address of Redis. Correct or unset it.');
  const redis = openEngineRedis(url);
  // The connection says only that it is closed; why it could not be opened arrives here.
  let refused: Error | undefined;
  redis.on('error', (error) => (refused = error));
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    const reason = refused ?? error;
    throw new StackProblem(
      `REDIS_URL is set, but that server does not answer (${reason instanceof Error ? reason.message : String(reason)}). Start it, correct REDIS_URL, or unset it to use a Redis of our own.`,
    );
  } finally {
    redis.disconnect();
  }
}

/** Undefined when the server answers a PING, else why not. */
async function askRedis(url: string): Promise<string | undefined> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2_000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  let reason: string | undefined;
  redis.on('error', (error: Error) => (reason = error.message));
  try {
    await redis.connect();
    await redis.ping();
    return undefined;
  } catch (error) {
    return reason ?? (error instanceof Error ? error.message : String(error));
  } finally {
    redis.disconnect();
  }
}

/**
 * A master that is away takes only its own part of the keys with it. No node ever votes for another one: there are no
 * replicas, and three processes of one machine are not slow because their network is.
 */
const clusterSettings: [name: string, value: string][] = [
  ['cluster-enabled', 'yes'],
  ['cluster-config-file', 'nodes.conf'],
  ['cluster-node-timeout', '5000'],
  ['cluster-require-full-coverage', 'no'],
];

function settings({ port, password, databases, durability, cluster = false }: RedisOptions, data: string): string {
  const lines: [name: string, value: string][] = [
    ['bind', '127.0.0.1'],
    ['port', String(port)],
    ['requirepass', password],
    ['dir', `"${data}"`],
    ['databases', String(databases)],
    ['daemonize', 'no'],
    // Snapshots are for backups; what is lost between two of them would have to be rebuilt from PostgreSQL.
    ['save', '""'],
    ['appendonly', durability === 'safe' ? 'yes' : 'no'],
    ['appendfsync', 'everysec'],
    // Evicting a quota key or a job to make room would be a silent loss; a refused write is an error somebody sees.
    ['maxmemory-policy', 'noeviction'],
    ...(cluster ? clusterSettings : []),
  ];
  return `${lines.map(([name, value]) => `${name} ${value}`).join('\n')}\n`;
}
