// First: a signal is heard while everything else is loaded.
import { end } from './end';
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { apiConfig, loadConfig, type ApiConfig } from '@libs/config';
import { checkRole, createDataSource } from '@libs/database';
import { CannotStart, listenProblem, reasonOf } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { checkRedis } from '@libs/queueing';
import { migrations } from '../../../migrations';
import { ApiSettings } from './api.settings';
import { createApi } from './create-api';

type Pool = ReturnType<typeof createDataSource>;

/**
 * The next long collection of garbage may wait until the heap has doubled. V8 begins one after a tenth more, every two or
 * three seconds under load, and marking takes the cores that calls need: each held up some fifty calls by up to 100 ms.
 */
const HEAP_GROWTH = '--heap-growing-percent=100';

const ROLES = { DATABASE_APP_URL: 'pf_app', DATABASE_ADMIN_URL: 'pf_admin' } as const;

async function openPool(variable: keyof typeof ROLES, config: ApiConfig, metrics: Metrics): Promise<Pool> {
  const source = createDataSource({
    url: config[variable],
    applicationName: 'postfleet-api',
    indexPlans: true,
    poolSize: config.DATABASE_POOL_SIZE,
    onDirtyRelease: () => {
      dirtyReleases(metrics).inc();
    },
  });
  try {
    await source.initialize();
  } catch (error) {
    throw new CannotStart(
      `${variable}: the database cannot be reached (${reasonOf(error)}). Check that PostgreSQL runs there and that the user, password and database in ${variable} are right.`,
    );
  }
  end.closes(() => source.destroy());
  await checkRole(source, { variable, role: ROLES[variable], migration: migrations.at(-1)?.name ?? '' });
  return source;
}

let dirty: ReturnType<Metrics['counter']> | undefined;

function dirtyReleases(metrics: Metrics): ReturnType<Metrics['counter']> {
  dirty ??= metrics.counter(
    'database_dirty_releases_total',
    'Connections destroyed because they came back with work open',
  );
  return dirty;
}

async function start(): Promise<void> {
  setFlagsFromString(HEAP_GROWTH);
  const config = loadConfig(apiConfig);
  const caFile = config.SNS_TRUSTED_SIMULATOR_CA_FILE;
  if (caFile !== undefined && !existsSync(caFile)) {
    throw new CannotStart(
      `SNS_TRUSTED_SIMULATOR_CA_FILE: there is no file ${caFile}. Start the simulator first; it writes it.`,
    );
  }
  const log = new Log({ name: 'api', level: config.LOG_LEVEL });
  end.sayIn(log);
  const metrics = new Metrics('api');
  const app = await openPool('DATABASE_APP_URL', config, metrics);
  const admin = await openPool('DATABASE_ADMIN_URL', config, metrics);
  await checkRedis(config.REDIS_URL);

  const settings = new ApiSettings({ publicUrl: config.PUBLIC_URL });
  const api = await createApi({ config, resources: { pools: { app, admin }, log, metrics }, settings });
  end.closes(() => api.close());
  try {
    await api.listen(config.API_PORT, config.API_HOST);
  } catch (error) {
    throw listenProblem(error, {
      host: config.API_HOST,
      port: config.API_PORT,
      variables: { host: 'API_HOST', port: 'API_PORT' },
    });
  }
  log.info('api ready', { url: await api.getUrl() });
}

start().catch((error: unknown) => {
  end.fail(error);
});
