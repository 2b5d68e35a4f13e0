import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/** Tiers, plans, tenants, keys, audit, outbox: who may do what, and what was done. */
export class Tenancy1763800000000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE TABLE tier (
        code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,31}$'),
        name text NOT NULL,
        rank int NOT NULL
      );
      CREATE TABLE plan (
        id uuid PRIMARY KEY,
        code text NOT NULL UNIQUE CHECK (code ~ '^[a-z][a-z0-9_-]{0,47}$'),
        name text NOT NULL,
        tier text NOT NULL REFERENCES tier (code),
        streams text[] NOT NULL CHECK (streams <@ ARRAY['TRANSACTIONAL', 'MARKETING'] AND cardinality(streams) > 0),
        weight int NOT NULL CHECK (weight BETWEEN 1 AND 1000),
        recipients_per_day bigint CHECK (recipients_per_day > 0),
        recipients_per_second numeric(12, 3) CHECK (recipients_per_second > 0),
        dedicated_ips boolean NOT NULL DEFAULT false,
        base_fee_micro bigint NOT NULL DEFAULT 0 CHECK (base_fee_micro >= 0),
        created_at timestamptz NOT NULL
      );
      CREATE TABLE tenant (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        plan_id uuid NOT NULL REFERENCES plan (id),
        state text NOT NULL CHECK (state IN ('ACTIVE', 'PAUSED')),
        paused_reason text,
        created_at timestamptz NOT NULL
      );
      CREATE TABLE api_key (
        tenant_id uuid NOT NULL REFERENCES tenant (id),
        id uuid NOT NULL,
        name text NOT NULL,
        mode text NOT NULL CHECK (mode IN ('LIVE', 'TEST')),
        prefix text NOT NULL,
        digest bytea NOT NULL UNIQUE,
        scopes text[] NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id)
      );
      CREATE TABLE operator_key (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        role text NOT NULL CHECK (role IN ('viewer', 'operator', 'owner')),
        prefix text NOT NULL,
        digest bytea NOT NULL UNIQUE,
        expires_at timestamptz,
        revoked_at timestamptz,
        created_at timestamptz NOT NULL
      );
      CREATE TABLE audit_log (
        id uuid PRIMARY KEY,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        action text NOT NULL,
        subject text NOT NULL,
        tenant_id uuid,
        request_id text,
        detail jsonb NOT NULL DEFAULT '{}'
      );
      CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        job text NOT NULL,
        payload jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );`);

    // A tenant sees its own row, under the column name id.
    await protectTenantTable(q, 'tenant', {
      tenantColumn: 'id',
      app: 'SELECT',
      worker: 'SELECT',
      admin: 'SELECT, INSERT, UPDATE',
    });
    await protectTenantTable(q, 'api_key', {
      app: 'SELECT, INSERT, UPDATE',
      worker: null,
      admin: 'SELECT, INSERT, UPDATE',
    });

    // A key is looked up before its tenant is known: the one door through row-level security, by digest only.
    await q.query(`
      CREATE POLICY lookup ON api_key FOR SELECT TO pf_owner USING (true);
      CREATE FUNCTION find_api_key(wanted bytea)
        RETURNS TABLE (id uuid, tenant_id uuid, mode text, scopes text[], expires_at timestamptz, revoked_at timestamptz)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
        AS $$ SELECT k.id, k.tenant_id, k.mode, k.scopes, k.expires_at, k.revoked_at FROM public.api_key k WHERE k.digest = wanted $$;
      REVOKE ALL ON FUNCTION find_api_key(bytea) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION find_api_key(bytea) TO pf_app;

      CREATE FUNCTION find_operator_key(wanted bytea)
        RETURNS TABLE (id uuid, name text, role text, expires_at timestamptz, revoked_at timestamptz)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
        AS $$ SELECT k.id, k.name, k.role, k.expires_at, k.revoked_at FROM public.operator_key k WHERE k.digest = wanted $$;
      REVOKE ALL ON FUNCTION find_operator_key(bytea) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION find_operator_key(bytea) TO pf_app, pf_admin;
      GRANT SELECT, INSERT, UPDATE ON operator_key TO pf_admin;

      -- The log only grows, and only through this function.
      CREATE FUNCTION append_audit(p_id uuid, p_at timestamptz, p_actor text, p_action text, p_subject text, p_tenant uuid, p_request text, p_detail jsonb)
        RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public
        AS $$ INSERT INTO public.audit_log (id, at, actor, action, subject, tenant_id, request_id, detail)
              VALUES (p_id, p_at, p_actor, p_action, p_subject, p_tenant, p_request, p_detail) $$;
      REVOKE ALL ON FUNCTION append_audit(uuid, timestamptz, text, text, text, uuid, text, jsonb) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION append_audit(uuid, timestamptz, text, text, text, uuid, text, jsonb) TO pf_app, pf_admin, pf_worker;
      GRANT SELECT ON audit_log TO pf_admin;

      GRANT SELECT ON tier, plan TO pf_app, pf_worker;
      GRANT SELECT, INSERT, UPDATE ON tier, plan TO pf_admin;
      GRANT INSERT ON outbox TO pf_app, pf_admin;
      GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO pf_worker;

      INSERT INTO tier (code, name, rank) VALUES
        ('free', 'Free', 1), ('growth', 'Growth', 2), ('premium', 'Premium', 3), ('quarantine', 'Quarantine', 0);`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The first migration is not taken back: drop the database instead.'));
  }
}
