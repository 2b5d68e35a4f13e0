import path from 'node:path';
import {
  apiSpec,
  simulatorSpec,
  workerSpec,
  type Application,
  type ApplicationSettings,
  type Ports,
} from './applications';
import { bootBackingServices } from './backing-services';
import type { Child } from './child';
import type { DataFolder } from './data-folder';
import { withoutForeignServices } from './environment';
import { registerHubUser } from './hub-user';
import { migrateDatabase } from './migrated-database';
import { apiPort, rememberedPort } from './ports';
import type { RoleUrls } from './role-urls';
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
  /** Ends the worker as a crash would (SIGKILL) and starts it again. Resolves when the new one is ready. */
  readonly killWorker: () => Promise<void>;
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
  if (options.applications.includes('simulator')) {
    await supervisor.start(simulatorSpec(settings));
    await registerHubUser(simulatorAdminUrl, secrets);
    say(`the simulator is ready on 127.0.0.1:${ports.simulator}`);
  }
  if (options.applications.includes('api')) {
    await supervisor.start(apiSpec(settings));
    say(`the api is ready on 127.0.0.1:${ports.api}`);
  }
  let worker: Child | undefined;
  if (options.applications.includes('worker')) {
    worker = await supervisor.start(workerSpec(settings));
    say('the worker is ready');
  }
  return {
    folder,
    secrets,
    apiUrl: `http://127.0.0.1:${ports.api}`,
    workerUrl: `http://127.0.0.1:${ports.worker}`,
    simulatorUrl: `http://127.0.0.1:${ports.simulator}`,
    simulatorAdminUrl,
    databaseUrls: urls,
    superuserUrl: services.superuserUrl(database),
    redisUrl: services.redisUrl,
    killWorker: async () => {
      if (!worker) throw new Error('this stack was started without a worker');
      await worker.kill();
      await supervisor.remove(worker);
      worker = await supervisor.start(workerSpec(settings));
    },
  };
}

/** Where the packages of Redis are kept for a checkout: beside the data of its stack, kept by --reset. */
export function redisPackagesFolder(dataRoot: string): string {
  return path.join(dataRoot, 'redis', 'packages');
}

async function choosePorts({ folder, port }: StackOptions): Promise<Ports> {
  const api = await apiPort(port);
  return {
    api,
    worker: await rememberedPort(folder.path, 'worker'),
    simulator: await rememberedPort(folder.path, 'simulator'),
    simulatorAdmin: await rememberedPort(folder.path, 'simulatorAdmin'),
  };
}
