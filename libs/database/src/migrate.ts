import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';

export type MigrationClass = new () => MigrationInterface;

// Two processes that start together must not both migrate: the second waits, then finds nothing to do.
const MIGRATION_LOCK = 7_204_118_301;
const ASKED_EVERY_MS = 200;

/** Runs pending migrations as pf_owner and answers the names of those it ran. */
export async function runMigrations(migrateUrl: string, migrations: readonly MigrationClass[]): Promise<string[]> {
  const source = await openOwner(migrateUrl, migrations);
  try {
    const lock = source.createQueryRunner();
    await lock.connect();
    await takeTurn(lock);
    try {
      const done = await source.runMigrations({ transaction: 'each' });
      return done.map((migration) => migration.name);
    } finally {
      await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await lock.release();
    }
  } finally {
    await source.destroy();
  }
}

/**
 * Asks again and again instead of waiting in the database: a statement that waits there has a snapshot, and an index that is made
 * beside writers waits for everybody who has one, so that the two would wait for each other for ever.
 */
async function takeTurn(lock: QueryRunner): Promise<void> {
  for (;;) {
    const [row] = (await lock.query('SELECT pg_try_advisory_lock($1) AS taken', [MIGRATION_LOCK])) as {
      taken: boolean;
    }[];
    if (row?.taken === true) return;
    await sleep(ASKED_EVERY_MS);
  }
}

/** A data source of pf_migrate that acts as pf_owner on every connection. */
export async function openOwner(migrateUrl: string, migrations: readonly MigrationClass[]): Promise<DataSource> {
  const source = new DataSource({
    type: 'postgres',
    url: migrateUrl,
    applicationName: 'postfleet-migrate',
    migrations: [...migrations],
    migrationsTableName: 'schema_migration',
    synchronize: false,
    extra: { options: '-c role=pf_owner', connectionTimeoutMillis: 5_000 },
  });
  await source.initialize();
  return source;
}
