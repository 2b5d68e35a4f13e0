import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bootstrapDatabase, runMigrations } from '@libs/database';
import { Client, escapeIdentifier } from 'pg';
import { migrations } from '../../migrations';
import { projectRoot } from './project-root';
import { rolePasswords, roleUrls, type RoleUrls } from './role-urls';
import type { StackSecrets } from './stack-secrets';

export interface ServerAccess {
  readonly superuserUrl: (database?: string) => string;
  readonly postgresPort: number;
}

/**
 * A database of that name with roles and every migration, created where it is missing.
 * Answers the roles' URLs and the migrations that were pending.
 */
export async function migrateDatabase(
  server: ServerAccess,
  secrets: StackSecrets,
  database: string,
): Promise<{ urls: RoleUrls; ran: readonly string[] }> {
  await createDatabase(server.superuserUrl(), database);
  await bootstrapDatabase(server.superuserUrl(database), bootstrapScript(), rolePasswords(secrets));
  const urls = roleUrls(secrets, server.postgresPort, database);
  return { urls, ran: await runMigrations(urls.migrate, migrations) };
}

/** The text of migrations/bootstrap.sql. */
export function bootstrapScript(): string {
  return readFileSync(path.join(projectRoot(), 'migrations', 'bootstrap.sql'), 'utf8');
}

/** Creates the database unless it exists. */
export async function createDatabase(superuserUrl: string, database: string): Promise<void> {
  const client = new Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
    // A name cannot be a parameter of this statement.
    const statement = `CREATE DATABASE ${escapeIdentifier(database)}`;
    if (rowCount === 0) await client.query(statement);
  } finally {
    await client.end();
  }
}
