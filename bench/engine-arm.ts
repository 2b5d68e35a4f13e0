import path from 'node:path';
import type { Child } from '../tools/local-stack/child';
import { isHealthy } from '../tools/local-stack/reachable';
import type { BenchDatabase, Lab } from './lab';
import { countBacklog, REGION, seedBacklog, seedFleet, type FleetPlan, type SeededFleet } from './seed';
import { measureSlice, type Slice } from './slice';
import type { SinkSettings } from './sink/sink';

/** The latency of the fake SES in every arm: the distribution ENGINE.md names. */
export const LATENCY: SinkSettings['latency'] = { p50Ms: 40, p99Ms: 200 };

const WARM_UP_SECONDS = 4;

/** OURS: the real worker process on the lab's services, with a fleet of the benchmark's own. */
export class EngineArm {
  private readonly workers: Child[] = [];

  private constructor(
    private readonly lab: Lab,
    readonly database: BenchDatabase,
    readonly fleet: SeededFleet,
    private readonly publicUrl: string,
    private readonly bodyBytes: number,
  ) {}

  static async prepare(lab: Lab, plan: FleetPlan, bodyBytes = 1_024): Promise<EngineArm> {
    const database = await lab.database();
    const publicUrl = `http://127.0.0.1:${await lab.port('api')}`;
    return new EngineArm(lab, database, await seedFleet(database.client, plan, publicUrl), publicUrl, bodyBytes);
  }

  get rates(): number[] {
    return this.fleet.accounts.map(({ rate }) => rate);
  }

  get granted(): number {
    return this.rates.reduce((sum, rate) => sum + rate, 0);
  }

  /** Messages that are accepted and not sent. */
  waiting(): Promise<number> {
    return countBacklog(this.database.client);
  }

  /** Fills the backlog up to that many messages, the same for every tenant, and writes it to disk. */
  async fill(messages: number): Promise<void> {
    const { fleet, bodyBytes } = this;
    const { client } = this.database;
    const missing = messages - (await this.waiting());
    await this.lab.unmeasured(async () => {
      await seedBacklog(client, fleet.tenants, Math.ceil(missing / fleet.tenants.length), bodyBytes);
      // Statistics and pages as a server in use has them; the slice shall not pay for what seeding left behind.
      await client.query('VACUUM (ANALYZE) backlog, message, message_body, recipient');
      await client.query('CHECKPOINT');
    });
  }

  /** The sink begins anew as SES for this fleet. */
  async connectSink(latency = LATENCY): Promise<void> {
    await this.lab.sink.configure({
      accounts: this.fleet.accounts.map(({ accountId, rate, quota }) => ({ accountId, rate, quota })),
      latency,
      seed: this.lab.args.seed,
      clockSpeed: 1,
    });
  }

  async startWorker(env: Readonly<Record<string, string>> = {}): Promise<Child> {
    const { lab } = this;
    const name = `worker-${this.workers.length + 1}`;
    const port = await lab.port(name);
    const worker = await lab.start(name, 'apps/worker/src/main.js', {
      env: {
        NODE_ENV: 'development',
        WORKER_PORT: String(port),
        DATABASE_WORKER_URL: this.database.urls.worker,
        REDIS_URL: lab.redisUrl,
        PUBLIC_URL: this.publicUrl,
        AWS_ENDPOINT_URL: lab.sinkUrl,
        AWS_REGION: REGION,
        AWS_CONTROL_INTERVAL_MS: '20',
        AWS_ACCESS_KEY_ID: 'AKIABENCHBENCHBENCH1',
        AWS_SECRET_ACCESS_KEY: 'benchmark',
        RECORDER_DIR: path.join(lab.folder.path, `recorder-${this.database.name}`),
        LOG_LEVEL: 'warn',
        ...env,
      },
      isReady: () => isHealthy(`http://127.0.0.1:${port}/health/ready`),
    });
    this.workers.push(worker);
    return worker;
  }

  async stopWorkers(): Promise<void> {
    for (const worker of this.workers.splice(0)) await this.lab.stop(worker);
  }

  /** Starts the workers, waits until they send and are warm. */
  async runUp(workers = 1, env: Readonly<Record<string, string>> = {}, warmUpSeconds = WARM_UP_SECONDS): Promise<void> {
    for (let i = 0; i < workers; i += 1) await this.startWorker(env);
    await this.lab.until('the first send of a worker', 40, async () => (await this.lab.sink.length()) > 0);
    await this.lab.wait(warmUpSeconds);
  }

  /** One slice with a worker of its own, which is warm when it begins and gone when it ends. */
  async slice(backlog: number, seconds: number, workers = 1, warmUpSeconds = WARM_UP_SECONDS): Promise<Slice> {
    await this.fill(backlog);
    await this.connectSink();
    await this.runUp(workers, {}, warmUpSeconds);
    const slice = await measureSlice(this.lab, seconds);
    await this.stopWorkers();
    return slice;
  }

  async close(): Promise<void> {
    await this.stopWorkers();
    await this.lab.drop(this.database);
  }
}
