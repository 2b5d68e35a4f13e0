import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/** AWS accounts, sending accounts, lanes and IPs; which tenant sends through what, under which identities and sets. */
export class Fleet1763800001000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE TABLE aws_account (
        id uuid PRIMARY KEY,
        account_id text NOT NULL UNIQUE CHECK (account_id ~ '^[0-9]{12}$'),
        name text NOT NULL,
        tier text NOT NULL REFERENCES tier (code),
        mode text NOT NULL CHECK (mode IN ('LIVE', 'TEST')),
        regions text[] NOT NULL CHECK (cardinality(regions) > 0),
        external_id text NOT NULL UNIQUE,
        send_role_arn text NOT NULL,
        manage_role_arn text NOT NULL,
        state text NOT NULL CHECK (state IN ('VERIFYING', 'ACTIVE', 'FAILED')),
        failed_step text,
        failure text,
        fix text,
        created_at timestamptz NOT NULL,
        verified_at timestamptz
      );
      CREATE TABLE sending_account (
        id uuid PRIMARY KEY,
        aws_account_id uuid NOT NULL REFERENCES aws_account (id),
        region text NOT NULL,
        tier text NOT NULL REFERENCES tier (code),
        mode text NOT NULL CHECK (mode IN ('LIVE', 'TEST')),
        state text NOT NULL CHECK (state IN ('SANDBOX', 'PRODUCTION', 'UNDER_REVIEW', 'PAUSED', 'SUSPENDED')),
        sending_enabled boolean NOT NULL DEFAULT true,
        max_24_hour_send bigint NOT NULL,
        max_send_rate numeric(12, 3) NOT NULL,
        sent_last_24_hours bigint NOT NULL DEFAULT 0,
        pricing_plan text NOT NULL DEFAULT 'NONE' CHECK (pricing_plan IN ('NONE', 'ESSENTIALS', 'PRO', 'ENTERPRISE')),
        observed_at timestamptz,
        epoch bigint NOT NULL DEFAULT 1,
        topic_arn text UNIQUE,
        subscription_arn text,
        webhook_url text,
        created_at timestamptz NOT NULL,
        UNIQUE (aws_account_id, region)
      );
      CREATE TABLE lane (
        id uuid PRIMARY KEY,
        sending_account_id uuid NOT NULL REFERENCES sending_account (id),
        kind text NOT NULL CHECK (kind IN ('SHARED', 'POOL')),
        pool_name text NOT NULL,
        stream text CHECK (stream IN ('TRANSACTIONAL', 'MARKETING')),
        owner_tenant_id uuid REFERENCES tenant (id),
        created_at timestamptz NOT NULL,
        UNIQUE (sending_account_id, pool_name)
      );
      CREATE TABLE dedicated_ip (
        sending_account_id uuid NOT NULL REFERENCES sending_account (id),
        ip inet NOT NULL,
        lane_id uuid REFERENCES lane (id),
        warmup_status text NOT NULL,
        warmup_percentage int NOT NULL,
        leased_at timestamptz NOT NULL,
        released_at timestamptz,
        PRIMARY KEY (sending_account_id, ip)
      );
      COMMENT ON COLUMN sending_account.max_24_hour_send IS 'recipients per rolling 24 h; -1 = unlimited; GetAccount';
      COMMENT ON COLUMN sending_account.webhook_url IS 'where SNS was last asked to deliver events; another address is subscribed anew';
      COMMENT ON COLUMN sending_account.epoch IS 'raised when the ledger is rebuilt, so that no older ticket can be claimed';

      CREATE TABLE domain (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        id uuid NOT NULL,
        name text NOT NULL,
        state text NOT NULL CHECK (state IN ('PENDING', 'READY')),
        created_at timestamptz NOT NULL,
        checked_at timestamptz,
        PRIMARY KEY (tenant_id, id)
      );
      -- One owner per domain in the whole fleet: two tenants on one AWS account share SES's identity namespace.
      CREATE UNIQUE INDEX domain_owner ON domain (name);
      CREATE TABLE placement (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        id uuid NOT NULL,
        mode text NOT NULL CHECK (mode IN ('LIVE', 'TEST')),
        stream text NOT NULL CHECK (stream IN ('TRANSACTIONAL', 'MARKETING')),
        sending_account_id uuid NOT NULL REFERENCES sending_account (id),
        lane_id uuid NOT NULL REFERENCES lane (id),
        weight int NOT NULL CHECK (weight BETWEEN 0 AND 1000),
        reason text NOT NULL,
        decided_by text NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_to timestamptz,
        PRIMARY KEY (tenant_id, id),
        CHECK (valid_to IS NULL OR valid_to >= valid_from)
      );
      CREATE UNIQUE INDEX placement_current ON placement (tenant_id, mode, stream, sending_account_id) WHERE valid_to IS NULL;
      CREATE INDEX placement_by_account ON placement (sending_account_id) WHERE valid_to IS NULL;
      CREATE TABLE tenant_move (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        id uuid NOT NULL,
        mode text NOT NULL CHECK (mode IN ('LIVE', 'TEST')),
        sending_account_id uuid NOT NULL REFERENCES sending_account (id),
        reason text NOT NULL,
        decided_by text NOT NULL,
        state text NOT NULL CHECK (state IN ('PENDING', 'DONE', 'FAILED')),
        detail text,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        PRIMARY KEY (tenant_id, id),
        CHECK ((state = 'PENDING') = (ended_at IS NULL))
      );
      -- One move at a time per tenant and mode: two would switch in whatever order their domains become verified.
      CREATE UNIQUE INDEX tenant_move_pending ON tenant_move (tenant_id, mode) WHERE state = 'PENDING';
      CREATE TABLE domain_identity (
        tenant_id uuid NOT NULL,
        domain_id uuid NOT NULL,
        sending_account_id uuid NOT NULL REFERENCES sending_account (id),
        state text NOT NULL CHECK (state IN ('PENDING', 'VERIFIED', 'FAILED')),
        checked_at timestamptz,
        PRIMARY KEY (tenant_id, domain_id, sending_account_id),
        FOREIGN KEY (tenant_id, domain_id) REFERENCES domain (tenant_id, id)
      );
      CREATE TABLE configuration_set (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        sending_account_id uuid NOT NULL REFERENCES sending_account (id),
        stream text NOT NULL CHECK (stream IN ('TRANSACTIONAL', 'MARKETING')),
        name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_-]{1,64}$'),
        lane_id uuid NOT NULL REFERENCES lane (id),
        ready_at timestamptz,
        PRIMARY KEY (tenant_id, sending_account_id, stream)
      );`);
    await protectTenantTable(q, 'domain', { app: 'SELECT', worker: 'SELECT, UPDATE', admin: 'SELECT, INSERT, UPDATE' });
    await protectTenantTable(q, 'placement', {
      app: 'SELECT',
      worker: 'SELECT, INSERT, UPDATE',
      admin: 'SELECT, INSERT, UPDATE',
    });
    await protectTenantTable(q, 'tenant_move', {
      app: null,
      worker: 'SELECT, INSERT, UPDATE',
      admin: 'SELECT, INSERT, UPDATE',
    });
    await protectTenantTable(q, 'domain_identity', {
      app: 'SELECT',
      worker: 'SELECT, INSERT, UPDATE, DELETE',
      admin: 'SELECT, INSERT, UPDATE',
    });
    await protectTenantTable(q, 'configuration_set', {
      app: 'SELECT',
      worker: 'SELECT, INSERT, UPDATE, DELETE',
      admin: 'SELECT, INSERT, UPDATE',
    });
    await q.query(`
      GRANT SELECT, INSERT, UPDATE ON aws_account, sending_account, lane, dedicated_ip TO pf_admin, pf_worker;
      -- The customer role reads what its own limits and the webhook need; roles and external ids stay out of its reach.
      GRANT SELECT ON sending_account, lane TO pf_app;
      GRANT SELECT (id, account_id, mode, state) ON aws_account TO pf_app;`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(
      'DROP TABLE configuration_set, domain_identity, tenant_move, placement, domain, dedicated_ip, lane, sending_account, aws_account',
    );
  }
}
