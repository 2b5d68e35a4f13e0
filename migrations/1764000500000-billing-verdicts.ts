import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the nightly judgement of the books found. */
export class BillingVerdicts1764000500000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE TABLE billing_verdict (
        period text NOT NULL,
        invariant smallint NOT NULL CHECK (invariant BETWEEN 1 AND 14),
        name text NOT NULL,
        violations bigint NOT NULL CHECK (violations >= 0),
        examples text[] NOT NULL,
        judged_at timestamptz NOT NULL,
        PRIMARY KEY (period, invariant)
      );
      COMMENT ON TABLE billing_verdict IS 'what each invariant of a month''s books was worth when it was last judged';
      GRANT SELECT, INSERT, UPDATE ON billing_verdict TO pf_worker;
      GRANT SELECT ON billing_verdict TO pf_admin`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP TABLE billing_verdict');
  }
}
