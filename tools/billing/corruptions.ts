import type { Client } from 'pg';

const ALLOCATED = 'FROM allocation a JOIN fleet_line l ON l.id = a.fleet_line_id WHERE l.period = $1';
/** Who bears most and who bears least of one line that has several bearers. */
const PAIR = `
  SELECT (array_agg(a.ctid ORDER BY a.weight DESC))[1] AS rich, (array_agg(a.ctid ORDER BY a.weight))[1] AS poor
    ${ALLOCATED} AND a.weight > 0 AND l.cost_micro > 100 GROUP BY l.id HAVING count(DISTINCT a.weight) > 1 ORDER BY l.id LIMIT 1`;

/** Writes past every guard of the database, as only its owner could, so that one invariant does not hold any more. */
const CORRUPTIONS: ReadonlyMap<number, string> = new Map([
  [1, `UPDATE allocation SET amount_micro = amount_micro + 1 WHERE ctid = (SELECT a.ctid ${ALLOCATED} LIMIT 1)`],
  [2, `UPDATE bill_import SET total_micro = total_micro + 1 WHERE period = $1`],
  [
    3,
    `DELETE FROM usage_rollup WHERE ctid = (SELECT ctid FROM usage_rollup WHERE period = $1 AND sku = 'ses.recipient' LIMIT 1)`,
  ],
  [
    4,
    `UPDATE allocation a SET amount_micro = a.amount_micro + CASE WHEN a.ctid = pair.rich THEN -2 ELSE 2 END
       FROM (${PAIR}) pair WHERE a.ctid IN (pair.rich, pair.poor)`,
  ],
  [
    5,
    `UPDATE allocation a SET amount_micro = a.amount_micro + CASE WHEN a.ctid = pair.rich THEN -1 ELSE 1 END
       FROM (${PAIR}) pair WHERE a.ctid IN (pair.rich, pair.poor)`,
  ],
  [
    6,
    `UPDATE invoice SET body_hash = sha256('another') WHERE ctid = (SELECT ctid FROM invoice WHERE period = $1 LIMIT 1)`,
  ],
  [
    7,
    `UPDATE invoice_line SET amount_micro = amount_micro + 10000 WHERE ctid = (
       SELECT l.ctid FROM invoice_line l JOIN invoice i ON i.tenant_id = l.tenant_id AND i.id = l.invoice_id WHERE i.period = $1 LIMIT 1)`,
  ],
  [
    8,
    `UPDATE fleet_line SET rate_ids = '{}' WHERE ctid = (SELECT ctid FROM fleet_line WHERE period = $1 AND source = 'PROVISIONAL' LIMIT 1)`,
  ],
  [
    9,
    `INSERT INTO plan_price_tier SELECT id, 999999999, -1, 1000 FROM plan_price WHERE monotone AND $1::text IS NOT NULL LIMIT 1`,
  ],
  [
    10,
    `UPDATE usage_rollup SET qty = qty + 1 WHERE ctid = (
       SELECT ctid FROM usage_rollup WHERE period = $1 AND sku = 'ses.recipient' AND tenant_id IS NOT NULL LIMIT 1)`,
  ],
  [
    11,
    `UPDATE allocation SET quantity = quantity + 1 WHERE ctid = (
       SELECT a.ctid ${ALLOCATED} AND l.sku = 'ses.dedicated_ip_month' AND l.source = 'PROVISIONAL' AND l.corrects IS NULL LIMIT 1)`,
  ],
  [
    12,
    `UPDATE bill_line SET cost_micro = cost_micro + 1 WHERE ctid = (
       SELECT b.ctid FROM bill_line b JOIN bill_import i ON i.id = b.import_id WHERE i.period = $1 AND b.in_fleet LIMIT 1)`,
  ],
  [13, 'ALTER TABLE fleet_line ADD COLUMN cost double precision'],
  [
    14,
    `INSERT INTO fleet_line (period, no, source, payer, aws_account, region, sending_account_id, lane_id, sku, usage_type, pricing_plan, span_from,
                             span_to, unit, quantity, cost_micro, rate_ids, rate_source, method_id, charge_category)
     SELECT period, no + 1000000, source, payer, aws_account, region, sending_account_id, lane_id, sku, usage_type, pricing_plan, span_from,
            span_to, unit, quantity, 0, rate_ids, rate_source, method_id, charge_category
       FROM fleet_line WHERE period = $1 AND source = 'PROVISIONAL' LIMIT 1`,
  ],
]);

/** Breaks one invariant of a month's books, inside the caller's transaction if it has one. For the superuser. */
export async function corrupt(client: Client, invariant: number, period: string): Promise<void> {
  const statement = CORRUPTIONS.get(invariant);
  if (statement === undefined) throw new RangeError(`there is no invariant ${invariant}`);
  await client.query("SET session_replication_role = 'replica'"); // neither triggers nor foreign keys stand in the way
  try {
    await client.query(statement, statement.includes('$1') ? [period] : []);
  } finally {
    await client.query('RESET session_replication_role');
  }
}
