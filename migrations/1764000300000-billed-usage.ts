import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A tenant is charged by the day; the hours of pools, most rows of a month, are read by the day and for everybody at once. */
export class BilledUsage1764000300000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP INDEX usage_rollup_tenant;
      CREATE INDEX usage_rollup_tenant ON usage_rollup (tenant_id, day) WHERE sku <> 'ses.pool_recipient'`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP INDEX usage_rollup_tenant;
      CREATE INDEX usage_rollup_tenant ON usage_rollup (tenant_id, day)`);
  }
}
