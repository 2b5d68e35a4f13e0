import type { JobDefinition, JobQueue } from '@libs/queueing';
import type { Chance } from '../chance';
import type { QueuedJob, RedisServer } from './redis-server';
import type { SimulatedProcess } from './simulated-process';
import type { VirtualTime } from './virtual-time';
import type { Wire } from './wire';

/** As the worker's processors are set. */
const CONCURRENCY = 64;
const STALLED_INTERVAL_MS = 5_000;
const LOCK_MS = 15_000;

/** Whoever takes jobs: a running worker. */
export interface Consumer {
  readonly process: SimulatedProcess;
  readonly takesJobs: boolean;
  run(job: QueuedJob): Promise<void>;
}

interface Running {
  readonly job: QueuedJob;
  readonly consumer: Consumer;
  readonly server: RedisServer;
  silentSinceMs: number | undefined;
}

/** Bull as far as promises go: at least once, in any order among workers, and everything lost with its Redis. */
export class SimulatedBull {
  readonly consumers: Consumer[] = [];
  /** Probability that a job is handed to two workers at once. */
  doubleDelivery = 0;
  private running: Running[] = [];
  private poked = false;

  constructor(
    private readonly time: VirtualTime,
    private readonly chance: Chance,
    private readonly redis: () => RedisServer,
  ) {
    this.watchStalled();
  }

  add(server: RedisServer, job: QueuedJob): void {
    if (server.known.has(job.id)) return;
    server.known.set(job.id, job);
    server.waiting.push(job);
    this.poke();
  }

  /** Hands out what waits, in a moment. */
  poke(): void {
    if (this.poked) return;
    this.poked = true;
    this.time.at(this.chance.between(0.3, 2), () => {
      this.poked = false;
      this.deliver();
    });
  }

  private deliver(): void {
    const server = this.redis();
    while (server.waiting.length > 0) {
      const free = this.consumers.filter((one) => one.takesJobs && one.process.running && this.load(one) < CONCURRENCY);
      if (free.length === 0) return;
      const job = server.waiting.shift();
      if (!job) return;
      this.hand(server, job, this.chance.pick(free));
      if (this.chance.happens(this.doubleDelivery)) this.hand(server, job, this.chance.pick(free));
    }
  }

  private load(consumer: Consumer): number {
    return this.running.reduce((sum, one) => sum + (one.consumer === consumer ? 1 : 0), 0);
  }

  private hand(server: RedisServer, job: QueuedJob, consumer: Consumer): void {
    const entry: Running = { job, consumer, server, silentSinceMs: undefined };
    job.deliveries += 1;
    this.running.push(entry);
    const end = () => {
      if (!this.running.includes(entry)) return;
      this.running = this.running.filter((one) => one !== entry);
      server.known.delete(job.id);
      this.poke();
    };
    consumer.process.enter(() => {
      consumer.run(job).then(end, end);
    });
  }

  /** A job whose worker is silent for longer than its lock is handed out once more, then dropped. */
  private watchStalled(): void {
    this.time.at(STALLED_INTERVAL_MS, () => {
      for (const entry of this.running) {
        if (entry.consumer.process.running) entry.silentSinceMs = undefined;
        else entry.silentSinceMs ??= this.time.nowMs;
      }
      const lost = this.running.filter(
        ({ silentSinceMs }) => silentSinceMs !== undefined && this.time.nowMs - silentSinceMs >= LOCK_MS,
      );
      this.running = this.running.filter((entry) => !lost.includes(entry));
      for (const { job, server } of lost) {
        server.known.delete(job.id);
        if (server === this.redis() && job.deliveries < 2) this.add(server, job);
      }
      this.watchStalled();
    });
  }
}

/** JobQueue for one process. */
export class SimulatedJobQueue implements Pick<JobQueue, keyof JobQueue> {
  constructor(
    private readonly process: SimulatedProcess,
    private readonly redis: () => RedisServer,
    private readonly bull: SimulatedBull,
    private readonly wire: Wire,
  ) {}

  enqueue<Payload>(job: JobDefinition<Payload>, payload: Payload): Promise<void> {
    const parsed = job.payload.parse(job.write?.(payload) ?? payload);
    const server = this.redis();
    return this.wire.call(this.process, 'redis', () => {
      const id = `${job.name}:${job.id?.(payload) ?? ''}`;
      this.bull.add(server, { id, queue: job.queue, payload: parsed, deliveries: 0 });
    });
  }

  waiting(name: string): Promise<number> {
    const server = this.redis();
    return this.wire.call(this.process, 'redis', () => server.waiting.filter((job) => job.queue === name).length);
  }

  async counts(name: string): Promise<{ waiting: number; active: number; delayed: number; failed: number }> {
    return { waiting: await this.waiting(name), active: 0, delayed: 0, failed: 0 };
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }
}
