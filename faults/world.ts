import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { SimulatorAdminClient } from '../apps/simulator/src/simulator-admin.client';
import type { RedisPart } from '../tools/local-stack/backing-services';
import type { GraphqlClient } from '../tools/local-stack/graphql-client';
import type { Part } from '../tools/local-stack/part';
import type { Stack, StackParts } from '../tools/local-stack/stack';
import { TcpProxy } from './tcp-proxy';
import { Witness } from './witness';

const CLEAR_LOOK_MS = 500;
const CLEAR_WITHIN_MS = 60_000;

type Environment = Readonly<Record<string, string>>;

/** The stack as those see it who break it. */
export class World {
  readonly simulator: SimulatorAdminClient;
  readonly witness: Witness;
  /** Every id the api acknowledged in the cases before. */
  readonly earlier = new Set<string>();
  private readonly settings = new Map<Part, string>();
  private proxies: { postgres: TcpProxy; redis: TcpProxy; ses: TcpProxy } | undefined;

  constructor(
    readonly stack: Stack,
    /** The admin API with an operator's key. */
    readonly operator: GraphqlClient,
    /** Workers there are when a fault does not say otherwise. */
    readonly usualWorkers: number,
    readonly isCluster: boolean,
    /** Decides what happens at random; the same seed does the same. */
    readonly chance: () => number,
  ) {
    this.simulator = new SimulatorAdminClient(stack.simulatorAdminUrl);
    this.witness = new Witness(this.simulator, stack.superuserUrl);
    for (const worker of stack.parts.workers) this.settings.set(worker, environmentText({}));
  }

  get parts(): StackParts {
    return this.stack.parts;
  }

  get firstWorker(): Part {
    const [first] = this.parts.workers;
    if (!first) throw new Error('the stack has no worker');
    return first;
  }

  wait(ms: number): Promise<void> {
    return sleep(ms);
  }

  /** Waits until `ask` answers true, at most `withinMs`. Answers whether it did. */
  async until(ask: () => Promise<boolean>, withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (!(await ask())) {
      if (performance.now() > deadline) return false;
      await sleep(50);
    }
    return true;
  }

  /** Exactly so many workers, the first with `first` in its environment, the others with `others`. Starts only what differs. */
  async workers(count = this.usualWorkers, first: Environment = {}, others: Environment = first): Promise<void> {
    for (const [i, worker] of this.parts.workers.entries()) {
      const wanted = i === 0 ? first : others;
      const text = environmentText(wanted);
      if (i < count && worker.isRunning && this.settings.get(worker) === text) continue;
      await worker.stop();
      if (i < count) await worker.start({ ...USUAL, ...wanted });
      this.settings.set(worker, text);
    }
  }

  /** Starts one that died, with nothing special about it. */
  async revive(worker: Part): Promise<void> {
    await worker.start(USUAL);
    this.settings.set(worker, environmentText({}));
  }

  /** A connection of the superuser, who gets one of the reserved places. */
  async asSuperuser<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: this.stack.superuserUrl });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** The one Redis server, or the master with most keys. */
  async redisVictim(): Promise<RedisPart> {
    let victim: { part: RedisPart; keys: number } | undefined;
    for (const part of this.parts.redis) {
      const keys = await this.onRedis(part.url, (redis) => redis.dbsize());
      if (!victim || keys > victim.keys) victim = { part, keys };
    }
    if (!victim) throw new Error('Redis is somebody else’s (REDIS_URL): it is not broken');
    return victim.part;
  }

  async onRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(url, { maxRetriesPerRequest: 1, retryStrategy: () => null });
    redis.on('error', () => undefined);
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** Proxies in front of PostgreSQL, Redis and SES, and what a worker must be told to use them. */
  async proxied(): Promise<{ postgres: TcpProxy; redis: TcpProxy; ses: TcpProxy; environment: Environment }> {
    const { databaseUrls, simulatorUrl } = this.stack;
    const redisUrl = this.parts.redis[0]?.url ?? '';
    this.proxies ??= {
      postgres: await TcpProxy.start(portOf(databaseUrls.worker)),
      redis: await TcpProxy.start(portOf(redisUrl)),
      ses: await TcpProxy.start(portOf(simulatorUrl)),
    };
    const { postgres, redis, ses } = this.proxies;
    const environment = {
      DATABASE_WORKER_URL: withPort(databaseUrls.worker, postgres.port),
      ...(this.isCluster ? {} : { REDIS_URL: withPort(redisUrl, redis.port) }),
      AWS_ENDPOINT_URL: `http://127.0.0.1:${ses.port}`,
    };
    return { ...this.proxies, environment };
  }

  /** Brings back what a fault that could not be injected to its end has left broken. */
  async heal(): Promise<void> {
    const { postgres, redis, simulator, api, workers } = this.parts;
    for (const part of [postgres, ...redis.map((one) => one.part), simulator, api, ...workers]) part.thaw();
    for (const part of [postgres, ...redis.map((one) => one.part), simulator, api]) await part.start();
    for (const proxy of Object.values(this.proxies ?? {})) proxy.set({ kind: 'pass' });
    await this.simulator.clearFaults();
    await this.workers(0);
  }

  /** Lets what an earlier case left go out, as far as it does within a minute, and takes none of it for mail of the next. */
  async clearAway(): Promise<void> {
    await this.workers();
    await this.until(async () => {
      const { ids, open } = await this.witness.inventory();
      for (const id of ids) this.earlier.add(id);
      if (open > 0) await sleep(CLEAR_LOOK_MS);
      return open === 0;
    }, CLEAR_WITHIN_MS);
  }

  async close(): Promise<void> {
    for (const proxy of Object.values(this.proxies ?? {})) await proxy.close();
  }
}

/** Seconds instead of minutes, so that a doubt is settled while one watches. */
const USUAL: Environment = {
  IN_DOUBT_AFTER_TRANSACTIONAL_MS: '5000',
  IN_DOUBT_AFTER_BULK_MS: '5000',
};

function environmentText(environment: Environment): string {
  return JSON.stringify({ ...USUAL, ...environment });
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function withPort(url: string, port: number): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}
