// First: a signal is heard while everything else is loaded.
import { end } from './end';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { ConfigInvalid, loadConfig, workerConfig, type WorkerConfig } from '@libs/config';
import { checkRole, createDataSource, DatabaseNotReady } from '@libs/database';
import { Log, Metrics } from '@libs/observability';
import { checkRedis, RedisUnusable } from '@libs/queueing';
import { migrations } from '../../../migrations';
import { createWorker, workerName, type RunningWorker } from './create-worker';
import { ProcessorsIncomplete } from './processing/processor-registry.service';

type Pool = ReturnType<typeof createDataSource>;

/** Something outside is not as the configuration says; the message tells how to mend it. */
class CannotStart extends Error {}

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
      `DATABASE_WORKER_URL: the database cannot be reached (${reason(error)}). Check that PostgreSQL runs there and that the user, password and database in DATABASE_WORKER_URL are right.`,
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
      `RECORDER_DIR: ${folder} cannot be written (${reason(error)}). Name a folder that this user may write.`,
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
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error;
    const what = `${config.WORKER_HOST}:${String(config.WORKER_PORT)}`;
    throw new CannotStart(
      code === 'EADDRINUSE'
        ? `WORKER_PORT: ${what} is taken. Stop the program that uses it, or set WORKER_PORT to a free port (0 for none).`
        : `WORKER_HOST/WORKER_PORT: cannot listen on ${what} (${code}). Choose an address of this machine and a port above 1023.`,
    );
  }
}

function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}

start().catch((error: unknown) => {
  const expected =
    error instanceof CannotStart ||
    error instanceof ConfigInvalid ||
    error instanceof DatabaseNotReady ||
    error instanceof RedisUnusable ||
    error instanceof ProcessorsIncomplete;
  end.fail(expected || !(error instanceof Error) ? reason(error) : (error.stack ?? error.message));
});
