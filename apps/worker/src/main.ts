// First: a signal is heard while everything else is loaded.
import { end } from './end';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { loadConfig, workerConfig, type WorkerConfig } from '@libs/config';
import { checkRole, createDataSource } from '@libs/database';
import { CannotStart, listenProblem, reasonOf } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { checkRedis } from '@libs/queueing';
import { migrations } from '../../../migrations';
import { createWorker, workerName, type RunningWorker } from './create-worker';

type Pool = ReturnType<typeof createDataSource>;

async function openPool(config: WorkerConfig, metrics: Metrics): Promise<Pool> {
  const dirty = metrics.counter(
    'database_dirty_releases_total',
    'Connections destroyed because they came back with work open',
  );
  const source = createDataSource({
    url: config.DATABASE_WORKER_URL,
    applicationName: 'postfleet-worker',
    poolSize: config.DATABASE_POOL_SIZE,
    genericPlans: true,
    onDirtyRelease: () => {
      dirty.inc();
    },
  });
  try {
    await source.initialize();
  } catch (error) {
    throw new CannotStart(
      `DATABASE_WORKER_URL: the database cannot be reached (${reasonOf(error)}). Check that PostgreSQL runs there and that the user, password and database in DATABASE_WORKER_URL are right.`,
    );
  }
  return source;
}

/** What was begun must be written down before it is sent: a folder that cannot be written stops the start, not the first send. */
function checkRecorder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new CannotStart(
      `RECORDER_DIR: ${folder} cannot be written (${reasonOf(error)}). Name a folder that this user may write.`,
    );
  }
}

async function start(): Promise<void> {
  const config = loadConfig(workerConfig);
  checkRecorder(config.RECORDER_DIR);
  const log = new Log({ name: 'worker', level: config.LOG_LEVEL });
  const metrics = new Metrics('worker');
  end.sayIn(log);
  const pool = await openPool(config, metrics);
  end.closes(() => pool.destroy());
  await checkRole(pool, {
    variable: 'DATABASE_WORKER_URL',
    role: 'pf_worker',
    migration: migrations.at(-1)?.name ?? '',
  });
  await checkRedis(config.REDIS_URL);
  const name = workerName(config.WORKER_ID);
  const running = await createWorker(config, { pools: { worker: pool }, log, metrics, worker: name });
  end.closes(() => running.app.close());
  end.closes(() => running.worker.stop());
  await listen(running, config);
  await running.worker.start();
  if (!end.hasBegun) log.info('worker ready', { worker: name, port: config.WORKER_PORT });
}

async function listen({ app }: RunningWorker, config: WorkerConfig): Promise<void> {
  if (config.WORKER_PORT === 0) {
    await app.init();
    return;
  }
  try {
    await app.listen(config.WORKER_PORT, config.WORKER_HOST);
  } catch (error) {
    throw listenProblem(error, {
      host: config.WORKER_HOST,
      port: config.WORKER_PORT,
      variables: { host: 'WORKER_HOST', port: 'WORKER_PORT' },
    });
  }
}

start().catch((error: unknown) => {
  end.fail(error);
});
