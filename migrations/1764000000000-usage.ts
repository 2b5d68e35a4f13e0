import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/**
 * What bills are made of, day by day, and the histories that say which prices a day had. Usage is only ever added to:
 * what turns out later is booked as a difference, under the next revision.
 */
export class Usage1764000000000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await createHistories(q);
    await fillHistories(q);
    await createUsage(q);
    await protect(q);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP INDEX message_event_time;
      DROP TABLE dropped_days, message_attachment, usage_day, usage_rollup, ip_lease, tenant_plan, account_plan`);
  }
}

async function createHistories(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE account_plan (
      sending_account_id uuid NOT NULL REFERENCES sending_account (id),
      pricing_plan text NOT NULL CHECK (pricing_plan IN ('NONE', 'ESSENTIALS', 'PRO', 'ENTERPRISE')),
      valid_from timestamptz NOT NULL,
      valid_to timestamptz CHECK (valid_to > valid_from),
      PRIMARY KEY (sending_account_id, valid_from),
      EXCLUDE USING gist (sending_account_id WITH =, tstzrange(valid_from, valid_to) WITH &&)
    );
    COMMENT ON TABLE account_plan IS 'the pricing plan that SES had each account on, and the one it has announced';

    CREATE TABLE tenant_plan (
      tenant_id uuid NOT NULL REFERENCES tenant (id),
      plan_id uuid NOT NULL REFERENCES plan (id),
      valid_from timestamptz NOT NULL,
      valid_to timestamptz CHECK (valid_to > valid_from),
      PRIMARY KEY (tenant_id, valid_from),
      EXCLUDE USING gist (tenant_id WITH =, tstzrange(valid_from, valid_to) WITH &&)
    );

    CREATE TABLE ip_lease (
      sending_account_id uuid NOT NULL REFERENCES sending_account (id),
      ip inet NOT NULL,
      lane_id uuid REFERENCES lane (id),
      owner_tenant_id uuid,
      leased_from timestamptz NOT NULL,
      leased_to timestamptz CHECK (leased_to > leased_from),
      PRIMARY KEY (sending_account_id, ip, leased_from),
      EXCLUDE USING gist (sending_account_id WITH =, ip WITH =, tstzrange(leased_from, leased_to) WITH &&)
    );
    COMMENT ON TABLE ip_lease IS 'each dedicated IP while it was in one pool of one owner';
    COMMENT ON COLUMN ip_lease.lane_id IS 'the pool; null = in none';`);
}

async function fillHistories(q: QueryRunner): Promise<void> {
  // Forced, its policies bind the owner of the table too, who would find no tenant.
  await q.query('ALTER TABLE tenant NO FORCE ROW LEVEL SECURITY');
  await q.query(`
    INSERT INTO account_plan (sending_account_id, pricing_plan, valid_from) SELECT id, pricing_plan, created_at FROM sending_account;
    INSERT INTO tenant_plan (tenant_id, plan_id, valid_from) SELECT id, plan_id, created_at FROM tenant;
    INSERT INTO ip_lease (sending_account_id, ip, lane_id, owner_tenant_id, leased_from, leased_to)
    SELECT i.sending_account_id, i.ip, i.lane_id, l.owner_tenant_id, i.leased_at, i.released_at
      FROM dedicated_ip i LEFT JOIN lane l ON l.id = i.lane_id
     WHERE i.released_at IS NULL OR i.released_at > i.leased_at`);
  await q.query('ALTER TABLE tenant FORCE ROW LEVEL SECURITY');
}

async function createUsage(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE usage_rollup (
      day date NOT NULL,
      revision int NOT NULL CHECK (revision >= 0),
      tenant_id uuid,
      sending_account_id uuid NOT NULL,
      lane_id uuid,
      sku text NOT NULL,
      hour smallint NOT NULL DEFAULT -1 CHECK (hour BETWEEN -1 AND 23),
      qty bigint NOT NULL CHECK (qty <> 0),
      booked_at timestamptz NOT NULL,
      period text NOT NULL CHECK (period ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'),
      UNIQUE NULLS NOT DISTINCT (day, revision, tenant_id, sending_account_id, lane_id, sku, hour)
    );
    CREATE INDEX usage_rollup_tenant ON usage_rollup (tenant_id, day);
    CREATE INDEX usage_rollup_period ON usage_rollup (period);
    COMMENT ON TABLE usage_rollup IS 'added to only: revision 0 is the first roll-up of a day, later ones the differences found since';
    COMMENT ON COLUMN usage_rollup.tenant_id IS 'null = nobody''s yet or the platform''s: extra attempts, IPs of shared pools';
    COMMENT ON COLUMN usage_rollup.hour IS 'of the day, UTC; -1 = the whole day';
    COMMENT ON COLUMN usage_rollup.period IS 'the month it is billed in: that of the day, or a later one when that month was final';

    CREATE TABLE usage_day (
      day date PRIMARY KEY,
      revision int NOT NULL CHECK (revision >= 0),
      rolled_at timestamptz NOT NULL,
      attempts bigint NOT NULL CHECK (attempts >= 0),
      recipients bigint NOT NULL CHECK (recipients >= 0),
      in_doubt bigint NOT NULL CHECK (in_doubt >= 0),
      src_hash bytea NOT NULL
    );
    COMMENT ON COLUMN usage_day.src_hash IS 'sha256 of the day as it was last computed, row by row';

    -- A table of its own, so that a message without attachments costs nothing, and kept as long as attempts are.
    CREATE TABLE message_attachment (
      tenant_id uuid NOT NULL,
      message_id uuid NOT NULL,
      bytes int NOT NULL CHECK (bytes > 0),
      PRIMARY KEY (tenant_id, message_id)
    );
    CREATE INDEX message_attachment_age ON message_attachment USING brin (message_id) WITH (autosummarize = on);
    COMMENT ON COLUMN message_attachment.bytes IS 'of all attachments together, decoded';

    CREATE TABLE dropped_days (
      parent text PRIMARY KEY,
      before date NOT NULL
    );
    COMMENT ON TABLE dropped_days IS 'retention has dropped the days of this table before this one';

    CREATE INDEX message_event_time ON message_event USING brin (at) WITH (pages_per_range = 16, autosummarize = on);`);
}

async function protect(q: QueryRunner): Promise<void> {
  await protectTenantTable(q, 'tenant_plan', {
    app: 'SELECT',
    worker: 'SELECT',
    admin: 'SELECT, INSERT, UPDATE, DELETE',
  });
  await protectTenantTable(q, 'usage_rollup', { app: 'SELECT', worker: 'SELECT, INSERT', admin: 'SELECT' });
  await protectTenantTable(q, 'message_attachment', {
    app: 'SELECT, INSERT',
    worker: 'SELECT, DELETE',
    admin: 'SELECT',
  });
  await q.query(`
    GRANT SELECT, INSERT, UPDATE, DELETE ON account_plan, ip_lease TO pf_worker, pf_admin;
    GRANT SELECT ON account_plan TO pf_app;
    GRANT SELECT, INSERT, UPDATE ON usage_day TO pf_worker;
    GRANT SELECT ON usage_day TO pf_admin;
    GRANT SELECT (day, revision, rolled_at) ON usage_day TO pf_app;
    GRANT SELECT, INSERT, UPDATE ON dropped_days TO pf_worker;
    GRANT SELECT ON dropped_days TO pf_admin;`);
}
