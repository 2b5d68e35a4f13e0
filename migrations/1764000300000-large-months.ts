import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What made the close of a month of thousands of tenants slow: two statements that went through all of it for each of them. */
export class LargeMonths1764000300000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    // A tenant is charged by the day; the hours of pools, most rows of a month, are read by the day and for everybody at once.
    await q.query(`
      DROP INDEX usage_rollup_tenant;
      CREATE INDEX usage_rollup_tenant ON usage_rollup (tenant_id, day) WHERE sku <> 'ses.pool_recipient'`);
    // The lines of each invoice by its key: joined all at once, the planner went through every invoice for every line.
    await q.query(
      checkOfLines(`
        SELECT i.number INTO wrong FROM (SELECT DISTINCT tenant_id, invoice_id FROM added) a
          JOIN invoice i ON i.tenant_id = a.tenant_id AND i.id = a.invoice_id
         CROSS JOIN LATERAL (SELECT count(*) AS lines, sum(l.amount_micro) AS micro FROM invoice_line l
                              WHERE l.tenant_id = a.tenant_id AND l.invoice_id = a.invoice_id) written
         WHERE written.lines <> i.line_count OR written.micro <> i.total_cents * 10000 LIMIT 1;`),
    );
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`
      DROP INDEX usage_rollup_tenant;
      CREATE INDEX usage_rollup_tenant ON usage_rollup (tenant_id, day)`);
    await q.query(
      checkOfLines(`
        SELECT i.number INTO wrong FROM (SELECT DISTINCT tenant_id, invoice_id FROM added) a
          JOIN invoice i ON i.tenant_id = a.tenant_id AND i.id = a.invoice_id
          JOIN invoice_line l ON l.tenant_id = i.tenant_id AND l.invoice_id = i.id
         GROUP BY i.tenant_id, i.id, i.number, i.line_count, i.total_cents
        HAVING count(*) <> i.line_count OR sum(l.amount_micro) <> i.total_cents * 10000 LIMIT 1;`),
    );
  }
}

function checkOfLines(statement: string): string {
  return `
    CREATE OR REPLACE FUNCTION check_invoice_lines() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
      DECLARE
        wrong text;
      BEGIN${statement}
        IF FOUND THEN
          RAISE EXCEPTION 'the lines of invoice % are not those it was issued with', wrong USING ERRCODE = 'PF001';
        END IF;
        RETURN NULL;
      END $$`;
}
