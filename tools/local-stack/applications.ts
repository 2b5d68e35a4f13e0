import path from 'node:path';
import type { ChildSpec } from './child';
import type { DataFolder } from './data-folder';
import { isListener } from './port-holder';
import { projectRoot } from './project-root';
import { isHealthy } from './reachable';
import type { RoleUrls } from './role-urls';
import type { StackSecrets } from './stack-secrets';

export type Application = 'simulator' | 'api' | 'worker';

export interface Ports {
  readonly api: number;
  /** One for each worker. */
  readonly workers: readonly number[];
  readonly simulator: number;
  readonly simulatorAdmin: number;
}

export interface ApplicationSettings {
  readonly folder: DataFolder;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: StackSecrets;
  readonly ports: Ports;
  readonly urls: RoleUrls;
  readonly redisUrl: string;
  readonly seed: number;
}

/** Variables of one start that differ from the usual ones. */
export type Changes = Readonly<Record<string, string>>;

/** How long after the last sign of life an unanswered send counts as in doubt: short here, so that a demo sees it settled. */
const inDoubtAfterMs = { transactional: 5_000, bulk: 8_000 };

const loopback = (port: number) => `http://127.0.0.1:${port}`;

/** AWS as the stack sees it. */
export function simulatorSpec({ folder, env, ports, seed }: Omit<ApplicationSettings, 'urls' | 'redisUrl'>): ChildSpec {
  return application('simulator', ports.simulatorAdmin, '/health', {
    ...env,
    SIMULATOR_HOST: '127.0.0.1',
    SIMULATOR_PORT: String(ports.simulator),
    SIMULATOR_ADMIN_PORT: String(ports.simulatorAdmin),
    SIMULATOR_DATA_DIR: folder.simulator,
    SIMULATOR_SEED: String(seed),
  });
}

export function apiSpec(
  { folder, env, secrets, ports, urls, redisUrl }: ApplicationSettings,
  changes: Changes = {},
): ChildSpec {
  return application('api', ports.api, '/health/ready', {
    ...env,
    NODE_ENV: 'development',
    API_HOST: '127.0.0.1',
    API_PORT: String(ports.api),
    DATABASE_APP_URL: urls.app,
    DATABASE_ADMIN_URL: urls.admin,
    REDIS_URL: redisUrl,
    API_KEY_PEPPER: secrets.apiKeyPepper,
    PUBLIC_URL: loopback(ports.api),
    SNS_TRUSTED_SIMULATOR_ORIGIN: loopback(ports.simulator),
    SNS_TRUSTED_SIMULATOR_CA_FILE: path.join(folder.simulator, 'ca.pem'),
    ...changes,
  });
}

/** The first worker is number 0. All share the recorder's folder, as workers of one host do. */
export function workerSpec(
  { folder, env, secrets, ports, urls, redisUrl }: ApplicationSettings,
  number = 0,
  changes: Changes = {},
): ChildSpec {
  const port = ports.workers[number] ?? 0;
  const spec = application('worker', port, '/health/ready', {
    ...env,
    NODE_ENV: 'development',
    WORKER_PORT: String(port),
    DATABASE_WORKER_URL: urls.worker,
    REDIS_URL: redisUrl,
    PUBLIC_URL: loopback(ports.api),
    AWS_ENDPOINT_URL: loopback(ports.simulator),
    AWS_TEST_ENDPOINT_URL: loopback(ports.simulator),
    AWS_REGION: 'us-east-1',
    // AWS takes one control call a second; the simulator takes them as they come.
    AWS_CONTROL_INTERVAL_MS: '20',
    AWS_ACCESS_KEY_ID: secrets.awsAccessKeyId,
    AWS_SECRET_ACCESS_KEY: secrets.awsSecretAccessKey,
    RECORDER_DIR: folder.recorder,
    IN_DOUBT_AFTER_TRANSACTIONAL_MS: String(inDoubtAfterMs.transactional),
    IN_DOUBT_AFTER_BULK_MS: String(inDoubtAfterMs.bulk),
    ...changes,
  });
  return number === 0 ? spec : { ...spec, name: `worker-${number + 1}` };
}

/**
 * What a busy process allocates lives for one message: with room for it the collector runs a quarter as often, which saves
 * a sixth of a worker's CPU (docs/decisions/005). Cannot be set from inside a process.
 */
export const NODE_FLAGS = ['--max-semi-space-size=64'];
/** A batch of a thousand messages lives until it is committed: with 128 MB fewer of them are copied while they wait. */
export const API_NODE_FLAGS = ['--max-semi-space-size=128'];

function application(name: Application, port: number, health: string, env: Record<string, string>): ChildSpec {
  return {
    name,
    command: process.execPath,
    args: [...(name === 'api' ? API_NODE_FLAGS : NODE_FLAGS), '--enable-source-maps', entryOf(name)],
    env,
    markers: [entryOf(name)],
    // Another stack's on the same port would answer as well, and for this one.
    isReady: async (pid) => isListener(pid, port) && (await isHealthy(`${loopback(port)}${health}`)),
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 15_000,
  };
}

function entryOf(name: Application): string {
  return path.join(projectRoot(), 'dist', 'apps', name, 'src', 'main.js');
}
