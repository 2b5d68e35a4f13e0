import type { DataSource } from 'typeorm';
import { DatabaseNotReady } from './database.errors';

interface Found {
  readonly user: string;
  readonly rolsuper: boolean;
  readonly rolbypassrls: boolean;
  readonly owner: boolean;
  readonly expected: boolean;
  readonly migrated: boolean;
}

/**
 * Refuses to start on a role that row-level security does not bind, on another one than the program's own (or a member of
 * it), or on a schema that is behind.
 * @throws DatabaseNotReady with the fix.
 */
export async function checkRole(
  source: DataSource,
  expected: {
    readonly variable: string;
    readonly role: 'pf_app' | 'pf_admin' | 'pf_worker';
    readonly migration: string;
  },
): Promise<void> {
  const { variable, role: ownRole, migration } = expected;
  // Looked up in the catalogue: a server that was never bootstrapped knows none of these names.
  const rows: Found[] = await source.query(
    `SELECT r.rolsuper, r.rolbypassrls, current_user AS user,
            EXISTS (SELECT FROM pg_roles o WHERE o.rolname = 'pf_owner' AND pg_has_role(r.oid, o.oid, 'MEMBER')) AS owner,
            EXISTS (SELECT FROM pg_roles o WHERE o.rolname = $1 AND pg_has_role(r.oid, o.oid, 'MEMBER')) AS expected,
            to_regclass('public.schema_migration') IS NOT NULL AS migrated
       FROM pg_roles r WHERE r.rolname = current_user`,
    [ownRole],
  );
  const role = rows[0];
  if (!role || role.rolsuper || role.rolbypassrls || role.owner) {
    throw new DatabaseNotReady(
      `${variable} connects as "${role?.user ?? 'unknown'}", a role that row-level security does not bind. ` +
        `Use ${ownRole}, the role made for it by "npm run db:bootstrap".`,
    );
  }
  if (!role.expected) {
    throw new DatabaseNotReady(
      `${variable} connects as "${role.user}", which has other rights than this program needs. ` +
        `Use ${ownRole}, the role made for it by "npm run db:bootstrap".`,
    );
  }
  const known: { ready: boolean }[] = role.migrated
    ? await source.query(`SELECT has_table_privilege(current_user, 'public.tenant', 'SELECT') AS ready`)
    : [];
  if (known[0]?.ready !== true) {
    throw new DatabaseNotReady(
      `The database of ${variable} is behind (expected migration ${migration}). Run "npm run db:migrate" with DATABASE_MIGRATE_URL set, then start again.`,
    );
  }
}
