import { parseRedisUrl } from '@libs/config';
import { Cluster, type Redis } from 'ioredis';
import { openRedis } from './redis-connection';

type Argument = string | number;

/** Answered by the server that owns the key, so that a cluster's answer is that of the right node. */
const INFO = `redis.call('INFO', 'server'), redis.call('INFO', 'memory'), redis.call('INFO', 'stats')`;
const WHO = `return { ${INFO} }`;
const WHO_IN_CLUSTER = `return { ${INFO}, redis.call('CLUSTER', 'MYID') }`;

/** Keys that are written to see whether a cluster takes writes; their slots lie all over it. */
const CLUSTER_PROBES = 16;

/**
 * Redis may throw keys away to make room. A ring of quota that is gone while its ledger stands would be a breach of the
 * quota, a ticket that is gone a delay: nothing is built on such a server.
 */
export class RedisEvicts extends Error {
  constructor(policy: string) {
    super(
      `EVICTS Redis throws keys away when its memory is full (maxmemory-policy ${policy}). Set maxmemory-policy noeviction in redis.conf or in the parameter group of the service (at once: CONFIG SET maxmemory-policy noeviction), and give the queue and the ledger a server of their own.`,
    );
    this.name = 'RedisEvicts';
  }
}

/** @throws RedisEvicts */
function checkPolicy(info: string): void {
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== undefined && policy !== 'noeviction') throw new RedisEvicts(policy);
}

/** The connection of the ledger, to one server or a cluster. Its own class, so that nobody gets it by accident. */
export class EngineRedis {
  constructor(private readonly connection: Redis | Cluster) {}

  /** @throws Error when no server can be reached */
  async connect(): Promise<void> {
    await this.connection.connect();
  }

  disconnect(): void {
    this.connection.disconnect();
  }

  on(event: 'error', listener: (error: Error) => void): void {
    this.connection.on(event, listener);
  }

  /** Another server may answer from now on: a connection was lost, or a cluster's nodes have changed. */
  onChange(listener: () => void): void {
    this.connection.on('close', listener);
    if (!this.connection.isCluster) return;
    this.connection.on('+node', (node: Redis) => {
      node.on('close', listener);
      listener();
    });
    this.connection.on('-node', listener);
  }

  async ping(): Promise<void> {
    await this.connection.ping();
  }

  /**
   * Asks every server that may hold our keys whether it throws some away when its memory is full.
   * @throws RedisEvicts; the connection's error
   */
  async checkEviction(): Promise<void> {
    const servers = this.connection instanceof Cluster ? this.connection.nodes('master') : [this.connection];
    for (const server of servers) checkPolicy(await server.info('memory'));
  }

  /**
   * What the clocks of the masters say, milliseconds.
   * @throws the connection's error
   */
  async clocks(): Promise<number[]> {
    const servers = this.connection instanceof Cluster ? this.connection.nodes('master') : [this.connection];
    const times = await Promise.all(servers.map((server) => server.time()));
    return times.map(([seconds, microseconds]) => Number(seconds) * 1_000 + Number(microseconds) / 1_000);
  }

  /**
   * Writes a key that vanishes at once: memory may be used up, a master demoted, its disk full. Of a cluster some keys, so that every
   * master of a small one is asked.
   * @throws the refusal of the server; the connection's error
   */
  async checkWrites(): Promise<void> {
    const keys = this.connection.isCluster ? CLUSTER_PROBES : 1;
    await Promise.all(
      Array.from({ length: keys }, (_, n) => this.connection.set(`pf:probe:{${String(n)}}`, '', 'PX', 1_000)),
    );
  }

  hmget(key: string, ...fields: string[]): Promise<(string | null)[]> {
    return this.connection.hmget(key, ...fields);
  }

  /** Runs a script by its digest, and sends its text once where that is not known (a new node, a restart, SCRIPT FLUSH). */
  async run({ sha, text }: { readonly sha: string; readonly text: string }, key: string, args: readonly Argument[]) {
    try {
      return await this.connection.evalsha(sha, 1, key, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.connection.eval(text, 1, key, ...args);
    }
  }

  /** Tells whoever listens on a channel now. @throws the connection's error */
  async publish(channel: string, message: string): Promise<void> {
    await this.connection.publish(channel, message);
  }

  /**
   * Hears what is published on a channel, on a connection of its own, until what this answers is called. What is
   * published while the connection is away is lost.
   */
  listen(channel: string, hear: (message: string) => void): () => void {
    const patient = { enableOfflineQueue: true, maxRetriesPerRequest: null };
    const { connection } = this;
    const ears =
      connection instanceof Cluster
        ? connection.duplicate([], {
            enableOfflineQueue: true,
            redisOptions: { ...connection.options.redisOptions, ...patient },
          })
        : connection.duplicate(patient);
    // Without a listener a lost connection would end the process; it comes back by itself.
    ears.on('error', () => undefined);
    ears.on('message', (_channel: string, message: string) => {
      hear(message);
    });
    ears.subscribe(channel).catch(() => undefined);
    return () => {
      ears.disconnect();
    };
  }

  /**
   * Names the run of the server that owns the key: `<run id>`, with `-<keys>` once it has thrown keys away, and `@<node id>` in a
   * cluster. Another name means that what was written there may be gone.
   * @throws RedisEvicts when it may throw keys away
   */
  async runOf(key: string): Promise<string> {
    const reply = await this.connection.eval(this.connection.isCluster ? WHO_IN_CLUSTER : WHO, 1, key);
    const [info, memory, stats, node] = reply as [string, string, string, string];
    checkPolicy(memory);
    const run = /^run_id:(\S+)/m.exec(info)?.[1];
    if (run === undefined) throw new Error('Redis did not tell its run_id: the ledger needs the INFO command.');
    // The policy may have been another one for a while.
    const evicted = /^evicted_keys:(\d+)/m.exec(stats)?.[1] ?? '0';
    const name = evicted === '0' ? run : `${run}-${evicted}`;
    return this.connection.isCluster ? `${name}@${node}` : name;
  }
}

/**
 * Opens a connection that fails commands at once while Redis is away, instead of queueing them out of sight.
 * @param silentMs how long an answer may take before the server counts as gone
 */
export function openEngineRedis(url: string, silentMs?: number): EngineRedis {
  const address = parseRedisUrl(url);
  if (!address) throw new Error('this is no address of Redis');
  return new EngineRedis(
    openRedis(
      address,
      {
        // Not 1: a command whose connection breaks once would be dropped without an answer, and its caller wait for ever.
        maxRetriesPerRequest: 0,
        enableOfflineQueue: false,
        // A command in flight when the connection broke must fail, not run later on another server.
        autoResendUnfulfilledCommands: false,
        lazyConnect: true,
        connectTimeout: 5_000,
        retryStrategy: (times) => Math.min(times * 100, 2_000),
      },
      silentMs,
    ),
  );
}
