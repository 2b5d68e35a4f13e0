import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { bootBackingServices, type BackingServices } from '../tools/local-stack/backing-services';
import type { Child, ChildSpec } from '../tools/local-stack/child';
import { readJson, type DataFolder } from '../tools/local-stack/data-folder';
import { ownEnvironment, withoutForeignServices } from '../tools/local-stack/environment';
import type { Session } from '../tools/local-stack/launcher';
import { migrateDatabase } from '../tools/local-stack/migrated-database';
import { rememberedPort } from '../tools/local-stack/ports';
import { projectRoot } from '../tools/local-stack/project-root';
import { isHealthy } from '../tools/local-stack/reachable';
import { roleUrls, type RoleUrls } from '../tools/local-stack/role-urls';
import { redisPackagesFolder } from '../tools/local-stack/stack';
import { loadSecrets, type StackSecrets } from '../tools/local-stack/stack-secrets';
import { StackProblem } from '../tools/local-stack/stack-problem';
import { NODE_FLAGS } from '../tools/local-stack/applications';
import type { BenchArguments } from './arguments';
import type { LoadWatch } from './load-watch';
import { SinkClient } from './sink/sink-client';
import { SpareTime } from './spare-time';

export interface BenchDatabase {
  readonly name: string;
  readonly urls: RoleUrls;
  readonly superuserUrl: string;
  /** Superuser, for seeding and counting; no process of the product uses it. */
  readonly client: Client;
}

interface ProgramOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeFlags?: readonly string[];
  readonly isReady?: () => Promise<boolean>;
}

const TEMPLATE = 'bench_template';

/** The machine under measurement: PostgreSQL, Redis and the sink run, and arms start their own processes on them. */
export class Lab {
  private readonly running = new Map<string, number>();
  private readonly arms: Child[] = [];
  private databases = 0;
  private spareTime: SpareTime | undefined;

  private constructor(
    private readonly session: Session,
    readonly args: BenchArguments,
    private readonly services: BackingServices,
    readonly secrets: StackSecrets,
    private readonly env: Readonly<Record<string, string>>,
    readonly sinkUrl: string,
    readonly sink: SinkClient,
    readonly redis: Redis,
    readonly load: LoadWatch,
    readonly progress: (line: string) => void,
  ) {}

  static async boot(
    session: Session,
    args: BenchArguments,
    load: LoadWatch,
    progress: (line: string) => void,
  ): Promise<Lab> {
    const { folder, supervisor, say } = session;
    folder.reset();
    const secrets = loadSecrets(folder.path);
    const env = withoutForeignServices(ownEnvironment());
    const services = await bootBackingServices(supervisor, {
      folder,
      secrets,
      // A server that somebody else runs cannot be measured process by process.
      env: { ...ownEnvironment(), REDIS_URL: '' },
      say,
      redisPackages: redisPackagesFolder(path.join(projectRoot(), '.data')),
      durability: 'safe',
      redisDatabases: 2,
    });
    await migrateDatabase(services, secrets, TEMPLATE);
    const port = await rememberedPort(folder.path, 'sink');
    const admin = await rememberedPort(folder.path, 'sinkAdmin');
    const adminUrl = `http://127.0.0.1:${admin}`;
    const lab = new Lab(
      session,
      args,
      services,
      secrets,
      env,
      `http://127.0.0.1:${port}`,
      new SinkClient(adminUrl),
      new Redis(services.redisUrl, { maxRetriesPerRequest: null }),
      load,
      progress,
    );
    lab.redis.on('error', () => undefined);
    for (const name of ['postgres', 'redis']) lab.running.set(name, pidOf(folder, name));
    await lab.start('sink', 'bench/sink/main.js', {
      args: [`--port=${port}`, `--admin=${admin}`],
      isReady: () => isHealthy(`${adminUrl}/health`),
    });
    return lab;
  }

  get folder(): DataFolder {
    return this.session.folder;
  }

  get redisUrl(): string {
    return this.services.redisUrl;
  }

  /** Pids of everything that is up, by name; a name's children count with it. */
  get processes(): ReadonlyMap<string, number> {
    return this.running;
  }

  /** A migrated database nobody has used, and an empty Redis. Drop it when done: vacuum would work on it meanwhile. */
  async database(): Promise<BenchDatabase> {
    await this.redis.flushall();
    this.databases += 1;
    const name = `bench_${this.databases}`;
    // A name cannot be a parameter of this statement; ours is made of letters and a number.
    await this.administer(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
    const client = new Client({ connectionString: this.services.superuserUrl(name) });
    client.on('error', () => undefined); // the server goes first when the run is interrupted; the reason is told elsewhere
    await client.connect();
    const urls = roleUrls(this.secrets, this.services.postgresPort, name);
    return { name, urls, superuserUrl: this.services.superuserUrl(name), client };
  }

  async drop(database: BenchDatabase): Promise<void> {
    await database.client.end();
    await this.administer(`DROP DATABASE ${database.name} WITH (FORCE)`);
    await this.redis.flushall();
  }

  /** Starts a program of dist as a process of its own, counted under `name`. */
  async start(name: string, program: string, options: ProgramOptions): Promise<Child> {
    const child = await this.session.supervisor.start(this.specOf(name, program, options));
    this.running.set(name, child.pid);
    if (name !== 'sink') this.arms.push(child);
    return child;
  }

  async stop(child: Child): Promise<void> {
    await this.session.supervisor.remove(child);
    this.running.delete(child.spec.name);
  }

  /** As a crash would. */
  async kill(child: Child): Promise<void> {
    await child.kill();
    await this.session.supervisor.remove(child);
    this.running.delete(child.spec.name);
  }

  /** Starts a program of dist that goes on only in `unmeasured`, until its end is waited for; counted nowhere. */
  async startInSpareTime(name: string, program: string, args: readonly string[]): Promise<void> {
    const spec = this.specOf(name, program, { args, nodeFlags: [] });
    this.spareTime = new SpareTime(await this.session.supervisor.start(spec));
  }

  /** Does what nothing is measured by: writing into the database what a measure begins with. */
  unmeasured<T>(work: () => Promise<T>): Promise<T> {
    return this.spareTime ? this.spareTime.during(work) : work();
  }

  /** Waits for the program of `startInSpareTime`. Answers what it has written. */
  async endOfSpareTime(withinSeconds: number): Promise<string> {
    const { spareTime } = this;
    if (!spareTime) throw new Error('nothing was started to be done in spare time');
    const { program } = spareTime;
    void spareTime.toTheEnd();
    await this.until(`the end of ${program.spec.name}`, withinSeconds, () => Promise.resolve(!program.isRunning));
    await this.session.supervisor.remove(program);
    this.spareTime = undefined;
    return readFileSync(path.join(this.folder.logs, `${program.spec.name}.log`), 'utf8');
  }

  /** @throws StackProblem when the run is interrupted meanwhile */
  async wait(seconds: number): Promise<void> {
    await sleep(seconds * 1_000, undefined, { signal: this.session.ending }).catch(() => undefined);
    if (this.session.ending.aborted) throw new StackProblem('the run was interrupted');
  }

  /** Asks until the answer is true. @throws StackProblem naming what did not happen in time */
  async until(what: string, withinSeconds: number, ask: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + withinSeconds * 1_000;
    while (!(await ask())) {
      if (performance.now() > deadline)
        throw new StackProblem(`${what} did not happen within ${withinSeconds} s; the logs are in ${this.folder.logs}`);
      await this.wait(0.05);
    }
  }

  async port(name: string): Promise<number> {
    return rememberedPort(this.folder.path, name);
  }

  get isEnding(): boolean {
    return this.session.ending.aborted;
  }

  /** Ends what a measure that failed has left running. */
  async stopArms(): Promise<void> {
    for (const child of this.arms.splice(0)) if (child.isRunning) await this.stop(child);
  }

  /** Programs and their versions, for the record. */
  async versions(): Promise<string> {
    const client = new Client({ connectionString: this.services.superuserUrl() });
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    await client.end();
    const redis = /redis_version:(\S+)/.exec(await this.redis.info('server'))?.[1] ?? 'unknown';
    return `Node ${process.versions.node}, PostgreSQL ${rows[0]?.server_version ?? 'unknown'}, Redis ${redis}`;
  }

  close(): void {
    this.redis.disconnect();
  }

  private specOf(name: string, program: string, options: ProgramOptions): ChildSpec {
    const file = path.join(projectRoot(), 'dist', program);
    return {
      name,
      command: process.execPath,
      args: [...(options.nodeFlags ?? NODE_FLAGS), file, ...(options.args ?? [])],
      env: { ...this.env, ...options.env },
      markers: [file],
      isReady: options.isReady ?? (() => Promise.resolve(true)),
      readyWithinMs: 60_000,
      stopSignal: 'SIGTERM',
      stopWithinMs: 20_000,
    };
  }

  private async administer(statement: string): Promise<void> {
    const client = new Client({ connectionString: this.services.superuserUrl() });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
}

function pidOf(folder: DataFolder, name: string): number {
  const note = readJson<{ pid: number }>(path.join(folder.children, `${name}.json`));
  if (!note) throw new Error(`${name} runs without a note of its pid`);
  return note.pid;
}
