import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A configuration set that was switched off at SES: its mail waits without being tried, and SES is asked now and then. */
export class PausedRoutes1764000100000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      ALTER TABLE configuration_set ADD COLUMN paused_at timestamptz;
      COMMENT ON COLUMN configuration_set.paused_at IS 'when SES last said that sending through it is paused; null while it is not'`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('ALTER TABLE configuration_set DROP COLUMN paused_at');
  }
}
