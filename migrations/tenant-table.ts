import type { QueryRunner } from 'typeorm';

interface TenantTableAccess {
  /** The column that holds the tenant; `tenant_id` unless said otherwise. */
  readonly tenantColumn?: string;
  /** Privileges of each role on the table, or null for none. Never TRUNCATE, REFERENCES or TRIGGER. */
  readonly app: string | null;
  readonly worker: string | null;
  readonly admin: string | null;
}

/**
 * Row-level security for one tenant table, always in the same shape (SECURITY.md, section 4): the customer role sees the
 * rows of the tenant bound to the current transaction and no others, said twice, so that a careless permissive policy
 * added later shows nothing; the worker and admin roles cross tenants on purpose and get policies of their own.
 */
export async function protectTenantTable(q: QueryRunner, table: string, access: TenantTableAccess): Promise<void> {
  const column = access.tenantColumn ?? 'tenant_id';
  // The tenant counts only in the very transaction that set it: a value left on a pooled connection is worthless.
  const own = `${column} = (SELECT CASE
      WHEN current_setting('app.tenant_at', true) = extract(epoch FROM transaction_timestamp())::text
      THEN nullif(current_setting('app.tenant', true), '')::uuid END)`;
  await q.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
  await q.query(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`);
  await q.query(`CREATE POLICY tenant ON ${table} TO pf_app USING (${own})`);
  await q.query(`CREATE POLICY guard ON ${table} AS RESTRICTIVE TO pf_app USING (${own})`);
  if (access.app !== null) await q.query(`GRANT ${access.app} ON ${table} TO pf_app`);
  if (access.worker !== null) {
    await q.query(`CREATE POLICY fleet ON ${table} TO pf_worker USING (true)`);
    await q.query(`GRANT ${access.worker} ON ${table} TO pf_worker`);
  }
  if (access.admin !== null) {
    await q.query(`CREATE POLICY operators ON ${table} TO pf_admin USING (true)`);
    await q.query(`GRANT ${access.admin} ON ${table} TO pf_admin`);
  }
}
