import type { MigrationInterface, QueryRunner } from 'typeorm';

/** From the moment its invoices go out a month is closed for everybody: said once, where everybody reads it. */
export class ClosedMonths1764000200000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      ALTER TABLE billing_period ADD COLUMN is_closed boolean NOT NULL
        GENERATED ALWAYS AS (state = 'FINAL' OR coalesce(step IN ('FINALISE_INVOICES', 'SEAL'), false)) STORED;
      COMMENT ON COLUMN billing_period.is_closed IS 'its invoices go out, or have: nothing more is booked in it'`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('ALTER TABLE billing_period DROP COLUMN is_closed');
  }
}
