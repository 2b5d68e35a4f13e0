import { DataSource, type MigrationInterface } from 'typeorm';

export type MigrationClass = new () => MigrationInterface;

// Two processes that start together must not both migrate: the second waits, then finds nothing to do.
const MIGRATION_LOCK = 7_204_118_301;

/** Runs pending migrations as pf_owner and answers the names of those it ran. */
export async function runMigrations(migrateUrl: string, migrations: readonly MigrationClass[]): Promise<string[]> {
  const source = await openOwner(migrateUrl, migrations);
  try {
    const lock = source.createQueryRunner();
    await lock.connect();
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
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
