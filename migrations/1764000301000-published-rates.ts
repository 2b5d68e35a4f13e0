import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What we are charged is cited by lines for ever, so the database itself keeps a published price as it is, as it keeps those of
 * plans. And a report of AWS is refused as imported already only while it counts: one that a wrong report has replaced may
 * come again.
 */
export class PublishedRates1764000301000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE FUNCTION refuse_change_of_rate() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        BEGIN
          IF OLD.valid_to IS NOT NULL OR (to_jsonb(NEW) - 'valid_to') <> (to_jsonb(OLD) - 'valid_to') THEN
            RAISE EXCEPTION 'a published price is not changed: it ends, and the next one begins' USING ERRCODE = 'PF002';
          END IF;
          RETURN NEW;
        END $$;
      CREATE TRIGGER frozen BEFORE UPDATE ON rate FOR EACH ROW EXECUTE FUNCTION refuse_change_of_rate();
      REVOKE UPDATE ON rate FROM pf_admin;
      GRANT UPDATE (valid_to) ON rate TO pf_admin;
      COMMENT ON TABLE rate IS 'a price is a rational: amount_micro micro-dollars for per_units units; a version is never changed, it only gets an end';
      ALTER TABLE bill_import DROP CONSTRAINT bill_import_sha256_key;
      CREATE UNIQUE INDEX bill_import_counted_once ON bill_import (sha256) WHERE superseded_at IS NULL`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP INDEX bill_import_counted_once;
      ALTER TABLE bill_import ADD CONSTRAINT bill_import_sha256_key UNIQUE (sha256);
      COMMENT ON TABLE rate IS 'a price is a rational: amount_micro micro-dollars for per_units units';
      REVOKE UPDATE (valid_to) ON rate FROM pf_admin;
      GRANT UPDATE ON rate TO pf_admin;
      DROP TRIGGER frozen ON rate;
      DROP FUNCTION refuse_change_of_rate`);
  }
}
