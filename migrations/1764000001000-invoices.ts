import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/** What plans cost with their validity, invoices that nobody can change, and a chain through each tenant's audit log. */
export class Invoices1764000001000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await planPrices(q);
    await auditChain(q);
    await invoices(q);
    await protection(q);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP TABLE invoice_event, invoice_line, invoice, invoice_draft, invoice_number, billing_profile;
      DROP FUNCTION refuse_change_of_invoice(), refuse_change_of_invoice_line(), check_invoice_lines();
      CREATE OR REPLACE FUNCTION append_audit(p_id uuid, p_at timestamptz, p_actor text, p_action text, p_subject text, p_tenant uuid, p_request text, p_detail jsonb)
        RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public
        AS $$ INSERT INTO public.audit_log (id, at, actor, action, subject, tenant_id, request_id, detail)
              VALUES (p_id, p_at, p_actor, p_action, p_subject, p_tenant, p_request, p_detail) $$;
      DROP FUNCTION audit_hash(bytea, bigint, uuid, timestamptz, text, text, text, uuid, text, jsonb);
      DROP TABLE audit_head;
      ALTER TABLE audit_log DROP COLUMN seq, DROP COLUMN prev_hash, DROP COLUMN hash;
      ALTER TABLE plan ADD COLUMN base_fee_micro bigint NOT NULL DEFAULT 0 CHECK (base_fee_micro >= 0);
      UPDATE plan SET base_fee_micro = price.base_fee_micro FROM plan_price price
       WHERE price.plan_id = plan.id AND price.valid_to IS NULL;
      DROP TABLE plan_price_tier, plan_price;
      DROP FUNCTION refuse_change_of_plan_price()`);
  }
}

/** The monthly fee moves from the plan to its first price. A version only ever gets an end; the next one begins there. */
async function planPrices(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE plan_price (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      plan_id uuid NOT NULL REFERENCES plan (id),
      valid_from timestamptz NOT NULL,
      valid_to timestamptz CHECK (valid_to > valid_from),
      base_fee_micro bigint NOT NULL CHECK (base_fee_micro >= 0),
      included_recipients bigint NOT NULL CHECK (included_recipients >= 0),
      dedicated_ip_fee_micro bigint NOT NULL CHECK (dedicated_ip_fee_micro >= 0),
      minimum_micro bigint NOT NULL CHECK (minimum_micro >= 0),
      monotone boolean NOT NULL,
      source text NOT NULL,
      EXCLUDE USING gist (plan_id WITH =, tstzrange(valid_from, valid_to) WITH &&)
    );
    COMMENT ON TABLE plan_price IS 'what a plan costs a month; a version is never changed, it only gets an end';
    COMMENT ON COLUMN plan_price.monotone IS 'more usage never lowers the price: no tier is negative';
    CREATE TABLE plan_price_tier (
      plan_price_id bigint NOT NULL REFERENCES plan_price (id),
      tier_from bigint NOT NULL CHECK (tier_from >= 0),
      amount_micro bigint NOT NULL,
      per_units bigint NOT NULL CHECK (per_units > 0),
      PRIMARY KEY (plan_price_id, tier_from)
    );
    COMMENT ON TABLE plan_price_tier IS 'marginal: the tier_from-th recipient of a month above the included ones, and those after it';
    INSERT INTO plan_price (plan_id, valid_from, base_fee_micro, included_recipients, dedicated_ip_fee_micro, minimum_micro, monotone, source)
      SELECT id, created_at, base_fee_micro, 0, 0, 0, true, 'the fee the plan was created with' FROM plan;
    ALTER TABLE plan DROP COLUMN base_fee_micro;

    CREATE FUNCTION refuse_change_of_plan_price() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
      BEGIN
        IF OLD.valid_to IS NOT NULL OR (to_jsonb(NEW) - 'valid_to') <> (to_jsonb(OLD) - 'valid_to') THEN
          RAISE EXCEPTION 'a published price of a plan is not changed' USING ERRCODE = 'PF002';
        END IF;
        RETURN NEW;
      END $$;
    CREATE TRIGGER frozen BEFORE UPDATE ON plan_price FOR EACH ROW EXECUTE FUNCTION refuse_change_of_plan_price();
    GRANT SELECT ON plan_price, plan_price_tier TO pf_app, pf_worker, pf_admin;
    GRANT INSERT, UPDATE (valid_to) ON plan_price TO pf_admin;
    GRANT INSERT ON plan_price_tier TO pf_admin;`);
}

/** Each entry about a tenant carries the hash of the one before it: the last hash vouches for all of them. */
async function auditChain(q: QueryRunner): Promise<void> {
  await q.query(`
    ALTER TABLE audit_log ADD COLUMN seq bigint, ADD COLUMN prev_hash bytea, ADD COLUMN hash bytea;
    CREATE TABLE audit_head (tenant_id uuid PRIMARY KEY, seq bigint NOT NULL, hash bytea NOT NULL);
    COMMENT ON TABLE audit_head IS 'the last entry of each tenant''s chain';
    CREATE FUNCTION audit_hash(prev bytea, seq bigint, id uuid, at timestamptz, actor text, action text, subject text, tenant uuid, request text, detail jsonb)
      RETURNS bytea LANGUAGE sql STABLE SET search_path = pg_catalog, public
      AS $$ SELECT sha256(convert_to(jsonb_build_array(encode(prev, 'hex'), seq, id, extract(epoch FROM at), actor, action, subject,
                                                       tenant, request, detail)::text, 'UTF8')) $$;
    CREATE OR REPLACE FUNCTION append_audit(p_id uuid, p_at timestamptz, p_actor text, p_action text, p_subject text, p_tenant uuid, p_request text, p_detail jsonb)
      RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
      DECLARE
        v_seq bigint;
        v_prev bytea;
        v_hash bytea;
      BEGIN
        IF p_tenant IS NOT NULL THEN
          INSERT INTO audit_head (tenant_id, seq, hash) VALUES (p_tenant, 0, '') ON CONFLICT (tenant_id) DO NOTHING;
          SELECT head.seq + 1, head.hash INTO v_seq, v_prev FROM audit_head head WHERE head.tenant_id = p_tenant FOR UPDATE;
          v_hash := audit_hash(v_prev, v_seq, p_id, p_at, p_actor, p_action, p_subject, p_tenant, p_request, p_detail);
          UPDATE audit_head SET seq = v_seq, hash = v_hash WHERE tenant_id = p_tenant;
        END IF;
        INSERT INTO audit_log (id, at, actor, action, subject, tenant_id, request_id, detail, seq, prev_hash, hash)
        VALUES (p_id, p_at, p_actor, p_action, p_subject, p_tenant, p_request, p_detail, v_seq, v_prev, v_hash);
      END $$;

    -- What was written before is chained in its order.
    DO $$
      DECLARE
        entry record;
        head record;
      BEGIN
        FOR entry IN SELECT * FROM audit_log WHERE tenant_id IS NOT NULL ORDER BY at, id LOOP
          INSERT INTO audit_head (tenant_id, seq, hash) VALUES (entry.tenant_id, 0, '') ON CONFLICT (tenant_id) DO NOTHING;
          SELECT h.seq, h.hash INTO head FROM audit_head h WHERE h.tenant_id = entry.tenant_id;
          UPDATE audit_log SET seq = head.seq + 1, prev_hash = head.hash,
                 hash = audit_hash(head.hash, head.seq + 1, id, at, actor, action, subject, tenant_id, request_id, detail)
           WHERE id = entry.id;
          UPDATE audit_head h SET seq = l.seq, hash = l.hash FROM audit_log l WHERE h.tenant_id = entry.tenant_id AND l.id = entry.id;
        END LOOP;
      END $$;`);
}

/**
 * A draft is a table of its own and may be thrown away; what stands in `invoice` was issued. So nobody needs the right to
 * change or delete an issued one, and nobody has it; the triggers say it once more, to the owner too.
 */
async function invoices(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE billing_profile (
      tenant_id uuid PRIMARY KEY REFERENCES tenant (id),
      legal_name text NOT NULL,
      address text[] NOT NULL,
      tax_id text,
      email text,
      updated_at timestamptz NOT NULL
    );
    COMMENT ON TABLE billing_profile IS 'whom invoices are made out to; the name of the tenant where there is none';
    CREATE TABLE invoice_draft (
      tenant_id uuid NOT NULL REFERENCES tenant (id),
      period text NOT NULL CHECK (period ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'),
      input jsonb NOT NULL,
      input_hash bytea NOT NULL,
      total_micro bigint NOT NULL,
      drafted_at timestamptz NOT NULL,
      PRIMARY KEY (tenant_id, period)
    );
    CREATE INDEX invoice_draft_period ON invoice_draft (period, tenant_id);
    CREATE TABLE invoice_number (series text PRIMARY KEY, last bigint NOT NULL CHECK (last >= 0));
    COMMENT ON TABLE invoice_number IS 'the last number given in a series; raised in the transaction that issues, so that none is left out';
    CREATE TABLE invoice (
      tenant_id uuid NOT NULL REFERENCES tenant (id),
      id uuid NOT NULL,
      kind text NOT NULL CHECK (kind IN ('INVOICE', 'CREDIT_NOTE')),
      period text NOT NULL CHECK (period ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'),
      state text NOT NULL CHECK (state IN ('FINAL', 'VOID')),
      number text NOT NULL,
      currency text NOT NULL CHECK (currency = 'USD'),
      total_micro bigint NOT NULL,
      carried_in_micro bigint NOT NULL,
      rounding_micro bigint NOT NULL,
      total_cents bigint NOT NULL,
      line_count int NOT NULL,
      input jsonb NOT NULL,
      input_hash bytea NOT NULL,
      body_hash bytea NOT NULL,
      render_version int NOT NULL,
      audit_head bytea,
      corrects uuid,
      issued_at timestamptz NOT NULL,
      due_at timestamptz NOT NULL,
      voided_at timestamptz,
      void_reason text,
      PRIMARY KEY (tenant_id, id),
      FOREIGN KEY (tenant_id, corrects) REFERENCES invoice (tenant_id, id),
      CHECK (total_micro + carried_in_micro + rounding_micro = total_cents * 10000),
      CHECK ((state = 'VOID') = (voided_at IS NOT NULL AND void_reason IS NOT NULL)),
      CHECK ((kind = 'CREDIT_NOTE') = (corrects IS NOT NULL))
    );
    COMMENT ON COLUMN invoice.total_micro IS 'exact sum of the charges; with what was carried in and the rounding it is whole cents';
    CREATE UNIQUE INDEX invoice_numbered ON invoice (number);
    CREATE UNIQUE INDEX invoice_of_period ON invoice (tenant_id, period) WHERE kind = 'INVOICE' AND state = 'FINAL';
    CREATE INDEX invoice_period ON invoice (period, tenant_id);
    CREATE TABLE invoice_line (
      tenant_id uuid NOT NULL,
      invoice_id uuid NOT NULL,
      no int NOT NULL,
      sku text NOT NULL,
      description text NOT NULL,
      quantity bigint NOT NULL,
      unit text NOT NULL,
      amount_micro bigint NOT NULL,
      cites jsonb NOT NULL,
      PRIMARY KEY (tenant_id, invoice_id, no),
      FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoice (tenant_id, id)
    );
    CREATE TABLE invoice_event (
      tenant_id uuid NOT NULL,
      idempotency_key text NOT NULL,
      invoice_id uuid NOT NULL,
      type text NOT NULL,
      payload jsonb NOT NULL,
      handed_over_at timestamptz NOT NULL,
      PRIMARY KEY (tenant_id, idempotency_key),
      FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoice (tenant_id, id)
    );

    CREATE FUNCTION refuse_change_of_invoice() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
      BEGIN
        IF TG_OP = 'UPDATE' AND OLD.state = 'FINAL' AND NEW.state = 'VOID'
           AND (to_jsonb(NEW) - ARRAY['state', 'voided_at', 'void_reason']) = (to_jsonb(OLD) - ARRAY['state', 'voided_at', 'void_reason']) THEN
          RETURN NEW;
        END IF;
        RAISE EXCEPTION 'invoice % was issued: it is voided or corrected by a credit note, never changed', OLD.number USING ERRCODE = 'PF001';
      END $$;
    CREATE TRIGGER issued BEFORE UPDATE OR DELETE ON invoice FOR EACH ROW EXECUTE FUNCTION refuse_change_of_invoice();
    CREATE FUNCTION refuse_change_of_invoice_line() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
      BEGIN
        RAISE EXCEPTION 'lines of an issued invoice are never changed' USING ERRCODE = 'PF001';
      END $$;
    CREATE TRIGGER issued BEFORE UPDATE OR DELETE ON invoice_line FOR EACH ROW EXECUTE FUNCTION refuse_change_of_invoice_line();
    CREATE TRIGGER issued_all BEFORE TRUNCATE ON invoice FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_invoice_line();
    CREATE TRIGGER issued_all BEFORE TRUNCATE ON invoice_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_invoice_line();
    -- All lines of an invoice are written by one statement, and add up to it; so no line is ever added later.
    CREATE FUNCTION check_invoice_lines() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
      DECLARE
        wrong text;
      BEGIN
        SELECT i.number INTO wrong FROM (SELECT DISTINCT tenant_id, invoice_id FROM added) a
          JOIN invoice i ON i.tenant_id = a.tenant_id AND i.id = a.invoice_id
          JOIN invoice_line l ON l.tenant_id = i.tenant_id AND l.invoice_id = i.id
         GROUP BY i.tenant_id, i.id, i.number, i.line_count, i.total_cents
        HAVING count(*) <> i.line_count OR sum(l.amount_micro) <> i.total_cents * 10000 LIMIT 1;
        IF FOUND THEN
          RAISE EXCEPTION 'the lines of invoice % are not those it was issued with', wrong USING ERRCODE = 'PF001';
        END IF;
        RETURN NULL;
      END $$;
    CREATE TRIGGER add_up AFTER INSERT ON invoice_line REFERENCING NEW TABLE AS added
      FOR EACH STATEMENT EXECUTE FUNCTION check_invoice_lines();
    GRANT SELECT, INSERT, UPDATE ON invoice_number TO pf_worker, pf_admin;`);
}

async function protection(q: QueryRunner): Promise<void> {
  await protectTenantTable(q, 'audit_head', { app: null, worker: 'SELECT', admin: 'SELECT' });
  await q.query('CREATE POLICY chain ON audit_head TO pf_owner USING (true)');
  await protectTenantTable(q, 'billing_profile', {
    app: 'SELECT, INSERT, UPDATE',
    worker: 'SELECT',
    admin: 'SELECT, INSERT, UPDATE',
  });
  const drafts = 'SELECT, INSERT, UPDATE, DELETE';
  await protectTenantTable(q, 'invoice_draft', { app: null, worker: drafts, admin: drafts });
  const issued = 'SELECT, INSERT, UPDATE (state, voided_at, void_reason)';
  await protectTenantTable(q, 'invoice', { app: 'SELECT', worker: issued, admin: issued });
  await protectTenantTable(q, 'invoice_line', { app: 'SELECT', worker: 'SELECT, INSERT', admin: 'SELECT, INSERT' });
  await protectTenantTable(q, 'invoice_event', { app: null, worker: 'SELECT, INSERT', admin: 'SELECT' });
}
