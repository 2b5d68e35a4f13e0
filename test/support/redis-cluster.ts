import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync, closeSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ownEnvironment } from '../../tools/local-stack/environment';
import { projectRoot } from '../../tools/local-stack/project-root';
import { findRedis } from '../../tools/local-stack/redis-discovery';
import { redisPackagesFolder } from '../../tools/local-stack/stack';

const SLOTS = 16_384;
const MASTERS = 3;
const READY_WITHIN_MS = 30_000;

const OF_A_CLUSTER = [
  'cluster-enabled yes',
  'cluster-config-file nodes.conf',
  // Nobody is taken for lost whom a busy machine keeps from answering: a test says whose place is taken.
  'cluster-node-timeout 15000',
  // The accounts of a lost node wait; those of the others go on.
  'cluster-require-full-coverage no',
  'cluster-replica-validity-factor 0',
  // A replica has its data at once, and not after waiting five seconds for others to copy with it.
  'repl-diskless-sync-delay 0',
  'maxmemory-policy noeviction',
];

export interface ClusterNode {
  readonly port: number;
  readonly pid: number;
  /** Stops it dead; its data folder stays. */
  kill(): Promise<void>;
  /** Starts it again where it was. */
  restart(): Promise<void>;
  /** A replica takes the place of its master, as it would when that has been lost for long. */
  takeOver(): Promise<void>;
}

export interface RedisCluster {
  /** For REDIS_URL. */
  readonly url: string;
  /** Of the servers as they run now. */
  readonly pids: readonly number[];
  /** The masters first, then a replica of each when asked for. */
  readonly nodes: readonly ClusterNode[];
  stop(): Promise<void>;
}

/** Three Redis masters on loopback, with a third of the slots each, in a folder of their own. */
export async function startRedisCluster(
  folder: string,
  { replicas = false }: { readonly replicas?: boolean } = {},
): Promise<RedisCluster> {
  const program = await redisProgram();
  const nodes: Server[] = [];
  try {
    for (let i = 0; i < (replicas ? 2 * MASTERS : MASTERS); i += 1) {
      const node = new Server(program, path.join(folder, `node-${String(i)}`), await freePort());
      nodes.push(node);
      await node.start();
    }
    await join(nodes);
    if (replicas) await replicate(nodes);
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop()));
    throw error;
  }
  return {
    url: `redis://${nodes.map(({ port }) => `127.0.0.1:${String(port)}`).join(',')}`,
    get pids() {
      return nodes.map(({ pid }) => pid);
    },
    nodes,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** A single server with those settings beside the usual ones. */
export async function startRedis(
  folder: string,
  settings: readonly string[],
): Promise<{ readonly url: string; restart(): Promise<void>; stop(): Promise<void> }> {
  const server = new Server(await redisProgram(), folder, await freePort(), settings);
  await server.start();
  return {
    url: `redis://127.0.0.1:${String(server.port)}`,
    /** With all its data. */
    restart: async () => {
      await server.stop();
      await server.start();
    },
    stop: () => server.stop(),
  };
}

interface Program {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

async function redisProgram(): Promise<Program> {
  const env = { ...ownEnvironment(), REDIS_URL: '' };
  const source = await findRedis(env, redisPackagesFolder(path.join(projectRoot(), '.data')), () => undefined);
  if (source.kind === 'url') throw new Error('a cluster needs a redis-server of its own');
  const { command, libraryPath } = source;
  return { command, env: libraryPath === undefined ? env : { ...env, LD_LIBRARY_PATH: libraryPath } };
}

class Server implements ClusterNode {
  private process: ChildProcess | undefined;

  constructor(
    private readonly program: Program,
    private readonly folder: string,
    readonly port: number,
    private readonly settings: readonly string[] = OF_A_CLUSTER,
  ) {}

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  async start(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    const file = path.join(this.folder, 'redis.conf');
    writeFileSync(file, this.configuration());
    const log = openSync(path.join(this.folder, 'redis.log'), 'a');
    this.process = spawn(this.program.command, [file], { env: this.program.env, stdio: ['ignore', log, log] });
    closeSync(log);
    await until(`Redis on port ${String(this.port)}`, () => ask(this.port, (redis) => redis.ping()));
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.start();
  }

  async takeOver(): Promise<void> {
    await ask(this.port, (redis) => redis.call('CLUSTER', 'FAILOVER', 'TAKEOVER'));
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await Promise.race([ended, sleep(5_000, undefined, { ref: false }).then(() => child.kill('SIGKILL'))]);
  }

  private configuration(): string {
    return [
      `port ${String(this.port)}`,
      'bind 127.0.0.1',
      `dir ${this.folder}`,
      'appendonly yes',
      'appendfsync everysec',
      'save ""',
      ...this.settings,
      '',
    ].join('\n');
  }
}

async function join(nodes: readonly Server[]): Promise<void> {
  const [first] = nodes;
  for (const [i, { port }] of nodes.entries()) {
    await ask(port, async (redis) => {
      await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
      if (i < MASTERS) {
        const [from, to] = [i, i + 1].map((third) => Math.floor((third * SLOTS) / MASTERS));
        await redis.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String((to ?? SLOTS) - 1));
      }
      if (first && i > 0) await redis.call('CLUSTER', 'MEET', '127.0.0.1', String(first.port));
    });
  }
  for (const { port } of nodes) {
    await until('the cluster', () =>
      ask(port, async (redis) => {
        const info = await redis.cluster('INFO');
        const whole = info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${String(nodes.length)}`);
        return whole && info.includes(`cluster_slots_ok:${String(SLOTS)}`);
      }),
    );
  }
}

async function replicate(nodes: readonly Server[]): Promise<void> {
  for (const [i, { port }] of nodes.entries()) {
    const master = nodes[i - MASTERS];
    if (!master) continue;
    const id = await ask(master.port, (redis) => redis.call('CLUSTER', 'MYID') as Promise<string>);
    await ask(port, (redis) => redis.call('CLUSTER', 'REPLICATE', id));
    await until('a replica', () =>
      ask(port, async (redis) => (await redis.info('replication')).includes('master_link_status:up')),
    );
  }
}

/** Asks one server, on a connection of its own. */
async function ask<Answer>(port: number, question: (redis: Redis) => Promise<Answer>): Promise<Answer> {
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

async function until(what: string, isSo: () => Promise<unknown>): Promise<void> {
  for (let waited = 0; waited < READY_WITHIN_MS; waited += 50) {
    const answer = await isSo().catch(() => false);
    if (answer !== false) return;
    await sleep(50);
  }
  throw new Error(`${what} did not become ready within ${String(READY_WITHIN_MS / 1000)} s`);
}

/**
 * A free port whose neighbour for the cluster's own talk, 10,000 above, is free as well. Both are below the range from which systems
 * hand out ports for outgoing connections: one of those would be gone by the time the server asks for it.
 */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(10_000, 20_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
  throw new Error('no free port for a Redis cluster');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
