import type { Client } from 'pg';

/** Functions that may run as their owner: each has a fixed search path and answers one narrow question. */
const DEFINER_FUNCTIONS = [
  'append_audit',
  'create_day_partitions',
  'drop_day_partitions',
  'find_api_key',
  'find_operator_key',
];
/** Unique indexes across tenants, each on purpose: a domain has one owner; a key's digest is its identity; a number is given once. */
const GLOBAL_UNIQUES = ['domain_owner', 'api_key_digest_key', 'tenant_pkey', 'invoice_numbered'];

/** A rule about the migrated database: the SQL answers one row per violation, in a column `found`. */
interface CatalogueRule {
  readonly name: string;
  readonly sql: string;
  readonly parameters?: readonly unknown[];
}

// A partition has no policies: nobody is granted anything on it, and through its parent the parent's policies hold.
const TENANT_TABLE = `
  SELECT c.oid, c.relname FROM pg_class c
   WHERE NOT c.relispartition AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
     AND (c.relname = 'tenant' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
     AND c.relname <> 'audit_log'`;

export const CATALOGUE_RULES: readonly CatalogueRule[] = [
  {
    name: 'login roles are ordinary and unrelated',
    sql: `SELECT rolname AS found FROM pg_roles WHERE rolname IN ('pf_app', 'pf_admin', 'pf_worker', 'pf_migrate')
            AND (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole)
          UNION ALL
          SELECT m.rolname || ' is a member of ' || g.rolname FROM pg_auth_members a
            JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid
           WHERE m.rolname LIKE 'pf\\_%' AND NOT (m.rolname = 'pf_migrate' AND g.rolname = 'pf_owner' AND NOT a.inherit_option)`,
  },
  {
    name: 'every tenant table has row-level security, forced',
    sql: `SELECT t.relname AS found FROM (${TENANT_TABLE}) t JOIN pg_class c ON c.oid = t.oid
           WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity)`,
  },
  {
    name: 'every tenant table has the tenant policy and its restrictive twin',
    sql: `SELECT t.relname AS found FROM (${TENANT_TABLE}) t
           WHERE (SELECT count(*) FILTER (WHERE polpermissive) <> 1 OR count(*) FILTER (WHERE NOT polpermissive) <> 1
                    FROM pg_policy p WHERE p.polrelid = t.oid AND 'pf_app'::regrole::oid = ANY (p.polroles))`,
  },
  {
    name: 'no policy is for everybody',
    sql: `SELECT polrelid::regclass || '.' || polname AS found FROM pg_policy WHERE polroles = '{0}'`,
  },
  {
    name: 'customer policies bind the tenant to the transaction',
    sql: `SELECT polrelid::regclass || '.' || polname AS found FROM pg_policy
           WHERE 'pf_app'::regrole::oid = ANY (polroles)
             AND pg_get_expr(polqual, polrelid) NOT LIKE '%app.tenant_at%transaction_timestamp%'`,
  },
  {
    name: 'nobody may truncate, reference or put triggers on a table',
    sql: `SELECT table_name || ' ' || privilege_type || ' ' || grantee AS found FROM information_schema.role_table_grants
           WHERE table_schema = 'public' AND grantee <> 'pf_owner' AND privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')`,
  },
  {
    name: 'nothing is granted to PUBLIC',
    sql: `SELECT table_name AS found FROM information_schema.role_table_grants WHERE table_schema = 'public' AND grantee = 'PUBLIC'`,
  },
  {
    name: 'every table belongs to the owner that cannot log in',
    sql: `SELECT relname AS found FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
            AND relowner <> 'pf_owner'::regrole`,
  },
  {
    name: 'partitions have row-level security, forced, so that nobody reads one directly',
    sql: `SELECT c.relname AS found FROM pg_class c WHERE c.relispartition AND c.relkind = 'r'
            AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)`,
  },
  {
    name: 'partitions carry grants of the worker alone, none that it has not through the parent',
    sql: `SELECT c.relname AS found FROM pg_class c WHERE c.relispartition AND c.relnamespace = 'public'::regnamespace
            AND EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner
                           AND (a.grantee <> 'pf_worker'::regrole OR NOT EXISTS (
                             SELECT FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent, aclexplode(p.relacl) b
                              WHERE i.inhrelid = c.oid AND b.grantee = a.grantee AND b.privilege_type = a.privilege_type)))`,
  },
  {
    name: 'partitions have policies for the worker alone',
    sql: `SELECT c.relname AS found FROM pg_policy y JOIN pg_class c ON c.oid = y.polrelid WHERE c.relispartition
            AND y.polroles <> ARRAY['pf_worker'::regrole::oid]`,
  },
  {
    name: 'views run with the rights of whoever asks, and none is materialised',
    sql: `SELECT relname AS found FROM pg_class WHERE relnamespace = 'public'::regnamespace
            AND (relkind = 'm' OR (relkind = 'v' AND NOT coalesce(reloptions, '{}') @> ARRAY['security_invoker=true']))`,
  },
  {
    name: 'functions that run as their owner are on the list and fix their search path',
    sql: `SELECT proname AS found FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
            AND (NOT proname = ANY ($1) OR NOT EXISTS (SELECT FROM unnest(proconfig) s WHERE s LIKE 'search_path=%'))`,
    parameters: [DEFINER_FUNCTIONS],
  },
  {
    name: 'foreign keys between tenant tables carry the tenant',
    sql: `SELECT k.conrelid::regclass || '.' || k.conname AS found FROM pg_constraint k
            JOIN (${TENANT_TABLE}) f ON f.oid = k.conrelid JOIN (${TENANT_TABLE}) t ON t.oid = k.confrelid
           WHERE k.contype = 'f' AND t.relname <> 'tenant'
             AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND a.attname = 'tenant_id')`,
  },
  {
    name: 'no foreign key cascades',
    sql: `SELECT conrelid::regclass || '.' || conname AS found FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'a'
            AND connamespace = 'public'::regnamespace`,
  },
  {
    name: 'unique indexes of tenant tables carry the tenant, except the listed',
    sql: `SELECT i.indexrelid::regclass::text AS found FROM pg_index i JOIN (${TENANT_TABLE}) t ON t.oid = i.indrelid
           WHERE i.indisunique AND NOT i.indexrelid::regclass::text = ANY ($1)
             AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[]) AND a.attname = 'tenant_id')`,
    parameters: [GLOBAL_UNIQUES],
  },
  {
    name: 'no column holds a float',
    sql: `SELECT table_name || '.' || column_name AS found FROM information_schema.columns
           WHERE table_schema = 'public' AND data_type IN ('real', 'double precision', 'money')`,
  },
  {
    name: 'every time has its zone',
    sql: `SELECT table_name || '.' || column_name AS found FROM information_schema.columns
           WHERE table_schema = 'public' AND data_type IN ('timestamp without time zone', 'time without time zone')
             AND table_name <> 'schema_migration'`,
  },
];

/** What breaks a rule, as `rule: object`. */
export async function lintCatalogue(client: Client): Promise<string[]> {
  const found: string[] = [];
  for (const rule of CATALOGUE_RULES) {
    const { rows } = await client.query<{ found: string }>(rule.sql, [...(rule.parameters ?? [])]);
    found.push(...rows.map((row) => `${rule.name}: ${row.found}`));
  }
  return found;
}
