import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/** Periods and their close, the stored lines of the fleet's cost with who bears them, and AWS's own bill. */
export class Close1764000002000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE TABLE billing_period (
        period text PRIMARY KEY CHECK (period ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'),
        state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'PROVISIONAL', 'RECONCILED', 'FINAL')),
        goal text CHECK (goal IN ('PROVISIONAL', 'RECONCILED', 'FINAL')),
        without_bill boolean NOT NULL DEFAULT false,
        asked bigint NOT NULL DEFAULT 0,
        step text,
        done bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
        total bigint NOT NULL DEFAULT 0 CHECK (total >= 0),
        in_doubt_messages bigint NOT NULL DEFAULT 0,
        in_doubt_recipients bigint NOT NULL DEFAULT 0,
        input_hash text,
        failure text,
        refreshed_at timestamptz,
        provisional_at timestamptz,
        reconciled_at timestamptz,
        final_at timestamptz,
        CHECK ((state = 'FINAL') = (final_at IS NOT NULL))
      );
      COMMENT ON TABLE billing_period IS 'a calendar month in UTC; FINAL is for ever';
      COMMENT ON COLUMN billing_period.goal IS 'where somebody asked it to go; null = nothing is asked';
      COMMENT ON COLUMN billing_period.asked IS 'how often something was asked: what was asked during a close is not done by it';
      COMMENT ON COLUMN billing_period.without_bill IS 'FINAL was asked for although no bill of AWS was held against it';
      COMMENT ON COLUMN billing_period.step IS 'what the close does right now; null = nothing';
      COMMENT ON COLUMN billing_period.refreshed_at IS 'as of when the stored lines are true';

      CREATE TABLE fleet_line (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        period text NOT NULL REFERENCES billing_period (period),
        no int NOT NULL CHECK (no > 0),
        source text NOT NULL CHECK (source IN ('PROVISIONAL', 'CUR', 'CORRECTION')),
        delta_of bigint REFERENCES fleet_line (id),
        payer text CHECK (payer ~ '^[0-9]{12}$'),
        aws_account text NOT NULL CHECK (aws_account ~ '^[0-9]{12}$'),
        region text NOT NULL,
        sending_account_id uuid REFERENCES sending_account (id),
        lane_id uuid REFERENCES lane (id),
        sku text NOT NULL,
        usage_type text NOT NULL,
        pricing_plan text NOT NULL,
        span_from timestamptz NOT NULL,
        span_to timestamptz NOT NULL,
        unit text NOT NULL,
        quantity numeric NOT NULL,
        cost_micro bigint NOT NULL,
        rate_ids bigint[] NOT NULL,
        rate_source text NOT NULL,
        method_id text NOT NULL,
        charge_category text NOT NULL CHECK (charge_category IN ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment')),
        charge_class text CHECK (charge_class = 'Correction'),
        corrects text REFERENCES billing_period (period),
        reason text,
        CHECK ((source = 'PROVISIONAL') = (reason IS NULL)),
        CHECK ((charge_class IS NULL) = (corrects IS NULL)),
        CHECK (span_from < span_to)
      );
      CREATE INDEX fleet_line_of_period ON fleet_line (period, source);
      CREATE INDEX fleet_line_delta ON fleet_line (delta_of) WHERE delta_of IS NOT NULL;
      COMMENT ON TABLE fleet_line IS 'what AWS charges: our own reckoning (PROVISIONAL), and what AWS''s bill says beyond it (CUR), line by line';
      COMMENT ON COLUMN fleet_line.sending_account_id IS 'null = a charge of the AWS account that belongs to no region of ours';

      CREATE TABLE allocation (
        fleet_line_id bigint NOT NULL REFERENCES fleet_line (id),
        bearer text NOT NULL CHECK (bearer IN ('TENANT', 'IDLE', 'PLATFORM')),
        tenant_id uuid REFERENCES tenant (id),
        weight numeric NOT NULL CHECK (weight >= 0),
        quantity numeric NOT NULL,
        amount_micro bigint NOT NULL,
        UNIQUE NULLS NOT DISTINCT (fleet_line_id, bearer, tenant_id),
        CHECK ((bearer = 'TENANT') = (tenant_id IS NOT NULL))
      );
      CREATE INDEX allocation_of_tenant ON allocation (tenant_id, fleet_line_id) WHERE tenant_id IS NOT NULL;

      CREATE TABLE bill_import (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        period text NOT NULL REFERENCES billing_period (period),
        payer text NOT NULL CHECK (payer ~ '^[0-9]{12}$'),
        format text NOT NULL CHECK (format IN ('CUR', 'FOCUS')),
        file_name text NOT NULL,
        sha256 text NOT NULL UNIQUE CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        lines bigint NOT NULL,
        total_micro bigint NOT NULL,
        outside_micro bigint NOT NULL,
        imported_at timestamptz NOT NULL,
        actor text NOT NULL,
        superseded_at timestamptz
      );
      CREATE INDEX bill_import_of_period ON bill_import (period);
      COMMENT ON COLUMN bill_import.total_micro IS 'charges of the fleet''s own accounts';
      COMMENT ON COLUMN bill_import.outside_micro IS 'charges of accounts of the same payer that are not in the fleet';
      COMMENT ON COLUMN bill_import.superseded_at IS 'when a later report of the same payer and month took its place';

      CREATE TABLE bill_line (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        import_id bigint NOT NULL REFERENCES bill_import (id),
        aws_account text NOT NULL CHECK (aws_account ~ '^[0-9]{12}$'),
        region text NOT NULL,
        product text NOT NULL,
        usage_type text NOT NULL,
        line_type text NOT NULL,
        charge_class text CHECK (charge_class = 'Correction'),
        lines bigint NOT NULL,
        quantity numeric NOT NULL,
        free_quantity numeric NOT NULL,
        cost_exact numeric NOT NULL,
        cost_micro bigint NOT NULL,
        in_fleet boolean NOT NULL
      );
      CREATE INDEX bill_line_of_import ON bill_line (import_id);
      COMMENT ON COLUMN bill_line.cost_exact IS 'dollars as the report has them; cost_micro of all lines of an import add up to its exact total, rounded once';
      COMMENT ON COLUMN bill_line.free_quantity IS 'the part of the quantity that costs nothing';

      CREATE TABLE billing_alarm (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        period text NOT NULL REFERENCES billing_period (period),
        kind text NOT NULL CHECK (kind IN ('DELTA', 'UNKNOWN_USAGE')),
        aws_account text NOT NULL,
        region text NOT NULL,
        usage_type text NOT NULL,
        ours_micro bigint NOT NULL,
        billed_micro bigint NOT NULL,
        raised_at timestamptz NOT NULL,
        UNIQUE (period, kind, aws_account, region, usage_type)
      );

      -- What is FINAL stays: not even the code that wrote it may change it.
      CREATE FUNCTION refuse_change_of_final_period() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF OLD.state = 'FINAL' THEN
          RAISE EXCEPTION 'billing period % is FINAL', OLD.period USING ERRCODE = 'PF001';
        END IF;
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
      END $$;
      CREATE TRIGGER final_period BEFORE UPDATE OR DELETE ON billing_period
        FOR EACH ROW EXECUTE FUNCTION refuse_change_of_final_period();

      CREATE FUNCTION refuse_change_of_final_lines() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        final text;
      BEGIN
        IF TG_TABLE_NAME = 'allocation' THEN
          SELECT period INTO final FROM billing_period
           WHERE state = 'FINAL' AND period IN (
             SELECT line.period FROM changed JOIN fleet_line line ON line.id = changed.fleet_line_id) LIMIT 1;
        ELSE
          SELECT period INTO final FROM billing_period
           WHERE state = 'FINAL' AND period IN (SELECT changed.period FROM changed) LIMIT 1;
        END IF;
        IF final IS NOT NULL THEN
          RAISE EXCEPTION 'billing period % is FINAL: % cannot change', final, TG_TABLE_NAME USING ERRCODE = 'PF001';
        END IF;
        RETURN NULL;
      END $$;`);
    for (const table of ['fleet_line', 'allocation']) {
      await q.query(`
        CREATE TRIGGER final_insert AFTER INSERT ON ${table} REFERENCING NEW TABLE AS changed
          FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_final_lines();
        CREATE TRIGGER final_update AFTER UPDATE ON ${table} REFERENCING OLD TABLE AS changed
          FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_final_lines();
        CREATE TRIGGER final_delete AFTER DELETE ON ${table} REFERENCING OLD TABLE AS changed
          FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_final_lines();`);
    }
    await protectTenantTable(q, 'allocation', {
      app: null,
      worker: 'SELECT, INSERT, DELETE',
      admin: 'SELECT, INSERT, DELETE',
    });
    await q.query(`
      GRANT SELECT, INSERT, UPDATE ON billing_period TO pf_worker, pf_admin;
      GRANT SELECT, INSERT, DELETE ON fleet_line, billing_alarm TO pf_worker, pf_admin;
      GRANT SELECT ON bill_import, bill_line TO pf_worker;
      GRANT SELECT, INSERT ON bill_import, bill_line TO pf_admin;
      GRANT UPDATE (superseded_at) ON bill_import TO pf_admin;
      GRANT SELECT (period, state) ON billing_period TO pf_app;`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP TABLE billing_alarm, bill_line, bill_import, allocation, fleet_line, billing_period;
      DROP FUNCTION refuse_change_of_final_lines();
      DROP FUNCTION refuse_change_of_final_period();`);
  }
}
