import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How fees and idle capacity are shared is agreed, not observed; what is agreed for a month stays with it. */
export class CostPolicy1764000004000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE TABLE cost_policy (
        period_from text PRIMARY KEY CHECK (period_from ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'),
        fees text NOT NULL CHECK (fees IN ('EVEN', 'BY_VOLUME', 'PLATFORM')),
        idle text NOT NULL CHECK (idle IN ('PLATFORM', 'TENANTS'))
      );
      COMMENT ON TABLE cost_policy IS 'holds from this month on, until the next row';
      GRANT SELECT, INSERT, UPDATE ON cost_policy TO pf_admin;
      GRANT SELECT ON cost_policy TO pf_worker`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP TABLE cost_policy');
  }
}
