import path from 'node:path';
import {
  apiSpec,
  simulatorSpec,
  workerSpec,
  type Application,
  type ApplicationSettings,
  type Ports,
} from './applications';
import { bootBackingServices, type RedisPart } from './backing-services';
import type { DataFolder } from './data-folder';
import { withoutForeignServices } from './environment';
import { registerHubUser } from './hub-user';
import { migrateDatabase } from './migrated-database';
import { Part } from './part';
import { apiPort, rememberedPort, takenText } from './ports';
import type { RoleUrls } from './role-urls';
import { StackProblem } from './stack-problem';
import { loadSecrets, type StackSecrets } from './stack-secrets';
import type { Supervisor } from './supervisor';

export interface StackOptions {
  /** Locked by this process. */
  readonly folder: DataFolder;
  readonly env: Readonly<Record<string, string>>;
  /** Insisted port of the api. */
  readonly port?: number | undefined;
  readonly seed: number;
  readonly applications: readonly Application[];
  /** Worker processes, when a worker is among the applications; 1 unless said. */
  readonly workers?: number;
  /** Three masters of a Redis Cluster instead of one server. */
  readonly redisCluster?: boolean;
  /** An api or a worker that dies is started again, and that is said; otherwise its end is that of the stack. */
  readonly revive?: boolean;
  /** Where downloaded Redis packages are kept. */
  readonly redisPackages: string;
  readonly say: (line: string) => void;
}

/** A stack that is up. Everything that seeding and the demo day need to know about it. */
export interface Stack {
  readonly folder: DataFolder;
  readonly secrets: StackSecrets;
  readonly apiUrl: string;
  readonly workerUrl: string;
  readonly simulatorUrl: string;
  readonly simulatorAdminUrl: string;
  readonly databaseUrls: RoleUrls;
  /** For inspection by a person or a judge; no process of the product uses it. */
  readonly superuserUrl: string;
  readonly redisUrl: string;
  /** Its processes, to be ended and started on purpose. */
  readonly parts: StackParts;
  /** Ends a worker as a crash would (SIGKILL) and starts it again, each one in its turn. Resolves when the new one is ready. */
  readonly killWorker: () => Promise<void>;
}

export interface StackParts {
  readonly postgres: Part;
  readonly redis: readonly RedisPart[];
  /** Not started: for whoever rehearses a fail-over. */
  readonly redisReplica: RedisPart | undefined;
  readonly simulator: Part;
  readonly api: Part;
  readonly workers: readonly Part[];
}

const database = 'postfleet';

/**
 * Boots what is asked for, each part when the one before it is ready.
 * @throws StackProblem with the fix; the caller then stops the supervisor
 */
export async function bootStack(supervisor: Supervisor, options: StackOptions): Promise<Stack> {
  const { folder, env, say } = options;
  const secrets = loadSecrets(folder.path);
  const ports = await choosePorts(options);
  const services = await bootBackingServices(supervisor, {
    folder,
    secrets,
    env,
    say,
    redisPackages: options.redisPackages,
    durability: 'safe',
    redisDatabases: 16,
    redisCluster: options.redisCluster ?? false,
  });
  const { urls, ran } = await migrateDatabase(services, secrets, database);
  say(ran.length === 0 ? 'the database is up to date' : `${ran.length} migrations run`);

  const settings: ApplicationSettings = {
    folder,
    env: withoutForeignServices(env),
    secrets,
    ports,
    urls,
    redisUrl: services.redisUrl,
    seed: options.seed,
  };
  const simulatorAdminUrl = `http://127.0.0.1:${ports.simulatorAdmin}`;
  const sayRevived = options.revive === true ? say : undefined;
  const parts: StackParts = {
    postgres: services.postgres,
    redis: services.redis,
    redisReplica: services.redisReplica,
    simulator: new Part(supervisor, () => simulatorSpec(settings)),
    api: new Part(supervisor, (changes) => apiSpec(settings, changes), sayRevived),
    workers: ports.workers.map(
      (_, number) => new Part(supervisor, (changes) => workerSpec(settings, number, changes), sayRevived),
    ),
  };
  if (options.applications.includes('simulator')) {
    await parts.simulator.start();
    await registerHubUser(simulatorAdminUrl, secrets);
    say(`the simulator is ready on 127.0.0.1:${ports.simulator}`);
  }
  if (options.applications.includes('api')) {
    await startApi(parts.api, ports, options);
    say(`the api is ready on 127.0.0.1:${ports.api}`);
  }
  if (options.applications.includes('worker')) {
    for (const worker of parts.workers) await worker.start();
    say(parts.workers.length === 1 ? 'the worker is ready' : `${parts.workers.length} workers are ready`);
  }
  return {
    folder,
    secrets,
    apiUrl: `http://127.0.0.1:${ports.api}`,
    workerUrl: `http://127.0.0.1:${ports.workers[0] ?? 0}`,
    simulatorUrl: `http://127.0.0.1:${ports.simulator}`,
    simulatorAdminUrl,
    databaseUrls: urls,
    superuserUrl: services.superuserUrl(database),
    redisUrl: services.redisUrl,
    parts,
    killWorker: inTurn(parts.workers, async (worker) => {
      await worker.kill();
      await worker.start();
    }),
  };
}

/** Its port was free when the stack began to boot; another stack that began seconds before may have it by now. */
async function startApi(api: Part, ports: { api: number }, { port, say }: StackOptions): Promise<void> {
  for (;;) {
    try {
      await api.start();
      return;
    } catch (error) {
      const taken = await takenText(ports.api);
      if (taken === undefined) throw error;
      if (port !== undefined) throw new StackProblem(taken);
      ports.api = await chooseApiPort(undefined, say);
    }
  }
}

async function chooseApiPort(insisted: number | undefined, say: (line: string) => void): Promise<number> {
  const { port, remark } = await apiPort(insisted);
  if (remark !== undefined) say(remark);
  return port;
}

function inTurn(workers: readonly Part[], treat: (worker: Part) => Promise<void>): () => Promise<void> {
  let next = 0;
  return async () => {
    const worker = workers[next % workers.length];
    if (worker?.isRunning !== true) throw new Error('this stack was started without a worker');
    next += 1;
    await treat(worker);
  };
}

/** Where the packages of Redis are kept for a checkout: beside the data of its stack, kept by --reset. */
export function redisPackagesFolder(dataRoot: string): string {
  return path.join(dataRoot, 'redis', 'packages');
}

async function choosePorts({ folder, port, workers = 1, say }: StackOptions): Promise<Ports & { api: number }> {
  const api = await chooseApiPort(port, say);
  const workerPorts: number[] = [];
  for (let number = 1; number <= workers; number += 1) {
    workerPorts.push(await rememberedPort(folder.path, number === 1 ? 'worker' : `worker-${number}`));
  }
  return {
    api,
    workers: workerPorts,
    simulator: await rememberedPort(folder.path, 'simulator'),
    simulatorAdmin: await rememberedPort(folder.path, 'simulatorAdmin'),
  };
}
