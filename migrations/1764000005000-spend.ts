import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/** What tenants want to be told about their spending, and where it ends; events of a tenant that belong to no message. */
export class Spend1764000005000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE TABLE spend_setting (
        tenant_id uuid PRIMARY KEY REFERENCES tenant (id),
        alerts_micro bigint[] NOT NULL CHECK (cardinality(alerts_micro) <= 5),
        hard_cap_micro bigint CHECK (hard_cap_micro > 0),
        updated_at timestamptz NOT NULL
      );
      COMMENT ON COLUMN spend_setting.alerts_micro IS 'charges of a month, micro-dollars: each is told once a month when it is reached';
      COMMENT ON COLUMN spend_setting.hard_cap_micro IS 'at this charge of a month, micro-dollars, marketing stops until the next one; null = never';

      CREATE TABLE stream_hold (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        stream text NOT NULL CHECK (stream IN ('TRANSACTIONAL', 'MARKETING')),
        reason text NOT NULL CHECK (reason = 'SPEND_CAP'),
        since timestamptz NOT NULL,
        until timestamptz NOT NULL CHECK (until > since),
        PRIMARY KEY (tenant_id, stream)
      );
      COMMENT ON TABLE stream_hold IS 'live mail of the stream is neither accepted nor sent before until; test mode knows no hold';

      CREATE TABLE tenant_event (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        dedupe_key text NOT NULL,
        id uuid NOT NULL,
        type text NOT NULL,
        at timestamptz NOT NULL,
        summary text NOT NULL,
        data jsonb NOT NULL,
        PRIMARY KEY (tenant_id, dedupe_key)
      );
      CREATE INDEX tenant_event_by_id ON tenant_event (tenant_id, id);
      COMMENT ON TABLE tenant_event IS 'what happened to a tenant and belongs to no message; the dedupe key says that it happened once'`);
    await protectTenantTable(q, 'spend_setting', {
      app: 'SELECT, INSERT, UPDATE',
      // To lock a row while its tenant is looked at.
      worker: 'SELECT, UPDATE (updated_at)',
      admin: 'SELECT',
    });
    const hold = 'SELECT, INSERT, UPDATE, DELETE';
    await protectTenantTable(q, 'stream_hold', { app: hold, worker: hold, admin: 'SELECT' });
    await protectTenantTable(q, 'tenant_event', { app: 'SELECT', worker: 'SELECT, INSERT', admin: 'SELECT' });
    // A customer is charged for IPs of its own by the time it had them: it sees those, and no others.
    const lease = 'SELECT, INSERT, UPDATE, DELETE';
    await protectTenantTable(q, 'ip_lease', {
      tenantColumn: 'owner_tenant_id',
      app: 'SELECT (sending_account_id, owner_tenant_id, leased_from, leased_to)',
      worker: lease,
      admin: lease,
    });
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP POLICY tenant ON ip_lease;
      DROP POLICY guard ON ip_lease;
      DROP POLICY fleet ON ip_lease;
      DROP POLICY operators ON ip_lease;
      ALTER TABLE ip_lease NO FORCE ROW LEVEL SECURITY;
      ALTER TABLE ip_lease DISABLE ROW LEVEL SECURITY;
      REVOKE SELECT (sending_account_id, owner_tenant_id, leased_from, leased_to) ON ip_lease FROM pf_app;
      DROP TABLE tenant_event, stream_hold, spend_setting`);
  }
}
