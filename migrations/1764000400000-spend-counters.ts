import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTenantTable } from './tenant-table';

/** What watched tenants used on days that no roll-up has counted yet, so that a look reads only what is new. */
export class SpendCounters1764000400000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      CREATE TABLE spend_cursor (
        tenant_id uuid PRIMARY KEY REFERENCES tenant (id),
        base date NOT NULL,
        counted_to timestamptz NOT NULL
      );
      COMMENT ON COLUMN spend_cursor.base IS 'the first day that no roll-up has counted; once it is another one, all is counted anew from there';
      COMMENT ON COLUMN spend_cursor.counted_to IS 'attempts that began before it are in spend_usage, or in spend_open';

      CREATE TABLE spend_usage (
        tenant_id uuid NOT NULL,
        day date NOT NULL,
        recipients bigint NOT NULL,
        PRIMARY KEY (tenant_id, day)
      );
      COMMENT ON TABLE spend_usage IS 'a copy of what attempts say: it may be emptied at any time together with spend_cursor and spend_open';

      CREATE TABLE spend_open (
        tenant_id uuid NOT NULL,
        message_id uuid NOT NULL,
        attempt_no smallint NOT NULL,
        began_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, message_id, attempt_no)
      );
      COMMENT ON TABLE spend_open IS 'attempts that SES had not taken when they were counted, and may turn out to have';`);
    for (const table of ['spend_cursor', 'spend_usage', 'spend_open']) {
      await protectTenantTable(q, table, { app: null, worker: 'SELECT, INSERT, UPDATE, DELETE', admin: 'SELECT' });
    }
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query('DROP TABLE spend_open, spend_usage, spend_cursor');
  }
}
