import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What shared requests of an account became is told by SES's events, to any worker; all of them must know. */
export class SharedRest1764000704000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      ALTER TABLE sending_account ADD COLUMN apart_until timestamptz;
      COMMENT ON COLUMN sending_account.apart_until IS 'SES took shared requests and could not render their mail: until then each message goes by itself'`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('ALTER TABLE sending_account DROP COLUMN apart_until');
  }
}
