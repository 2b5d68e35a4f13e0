import type { DataSource } from 'typeorm';
import { DatabaseNotReady } from './database.errors';

/**
 * Refuses to start on a role that row-level security does not bind, or on a schema that is behind.
 * @throws DatabaseNotReady with the fix.
 */
export async function checkRole(source: DataSource, variable: string, lastMigration: string): Promise<void> {
  const rows: { rolsuper: boolean; rolbypassrls: boolean; owner: boolean; migrated: boolean; user: string }[] =
    await source.query(
      `SELECT r.rolsuper, r.rolbypassrls, current_user AS user,
              pg_has_role(current_user, 'pf_owner', 'MEMBER') AS owner,
              to_regclass('public.schema_migration') IS NOT NULL AS migrated
         FROM pg_roles r WHERE r.rolname = current_user`,
    );
  const role = rows[0];
  if (!role || role.rolsuper || role.rolbypassrls || role.owner) {
    throw new DatabaseNotReady(
      `${variable} connects as "${role?.user ?? 'unknown'}", a role that row-level security does not bind. ` +
        'Use the role made for it by migrations/bootstrap.sql (pf_app, pf_admin or pf_worker).',
    );
  }
  const known: { ready: boolean }[] = role.migrated
    ? await source.query(`SELECT has_table_privilege(current_user, 'public.tenant', 'SELECT') AS ready`)
    : [];
  if (known[0]?.ready !== true) {
    throw new DatabaseNotReady(
      `The database of ${variable} is behind (expected migration ${lastMigration}). Run "npm run db:migrate" with DATABASE_MIGRATE_URL set, then start again.`,
    );
  }
}
