import type { Client } from 'pg';

export interface BooksSize {
  readonly tenants: number;
  /** Attempts that the roll-ups stand for. */
  readonly attempts: number;
}

/** The month that is closed, and the day of the one after it that is rolled up. */
export const MONTH = '2026-10';
export const LARGE_DAY = '2026-11-01';

/** The uuid of a name. */
const NAMED = `CREATE OR REPLACE FUNCTION pg_temp.named(name text) RETURNS uuid LANGUAGE sql IMMUTABLE
  RETURN overlay(overlay(md5(name) placing '8' from 13) placing '8' from 17)::uuid`;

/**
 * A fleet and a month of roll-ups without the attempts they were made of: twenty accounts, a shared pool on each, tenants on
 * three plans with two lines of usage a day. Retention has dropped the attempts, so that nobody counts them again.
 */
export async function seedBooks(client: Client, { tenants, attempts }: BooksSize): Promise<void> {
  await client.query('BEGIN');
  await client.query(NAMED);
  await client.query(`
    INSERT INTO aws_account (id, account_id, name, tier, mode, regions, external_id, send_role_arn, manage_role_arn, state, created_at)
    SELECT pg_temp.named('aws' || n), (310000000000 + n)::text, 'Bench ' || n, 'free', 'LIVE', '{us-east-1}', 'bench-' || n, 'arn', 'arn', 'ACTIVE', '2026-09-01'
      FROM generate_series(0, 19) n;
    INSERT INTO sending_account (id, aws_account_id, region, tier, mode, state, max_24_hour_send, max_send_rate, pricing_plan, created_at)
    SELECT pg_temp.named('account' || n), pg_temp.named('aws' || n), 'us-east-1', 'free', 'LIVE', 'PRODUCTION', 10000000, 500,
           (ARRAY['NONE', 'ESSENTIALS', 'PRO'])[1 + n % 3], '2026-09-01' FROM generate_series(0, 19) n;
    INSERT INTO account_plan (sending_account_id, pricing_plan, valid_from) SELECT id, pricing_plan, created_at FROM sending_account;
    INSERT INTO lane (id, sending_account_id, kind, pool_name, created_at)
    SELECT pg_temp.named('pool' || n), pg_temp.named('account' || n), 'POOL', 'shared', '2026-09-01' FROM generate_series(0, 19) n;
    INSERT INTO ip_lease (sending_account_id, ip, lane_id, leased_from)
    SELECT pg_temp.named('account' || n), ('198.18.' || n || '.' || k)::inet, pg_temp.named('pool' || n), '2026-09-01' FROM generate_series(0, 19) n, generate_series(1, 3) k;
    INSERT INTO plan (id, code, name, tier, streams, weight, created_at)
    SELECT pg_temp.named('plan' || n), 'bench-' || n, 'Bench ' || n, 'free', '{TRANSACTIONAL,MARKETING}', 1, '2026-09-01' FROM generate_series(0, 2) n;
    WITH price AS (
      INSERT INTO plan_price (plan_id, valid_from, base_fee_micro, included_recipients, dedicated_ip_fee_micro, minimum_micro, monotone, source)
      SELECT pg_temp.named('plan' || n), '2026-09-01', 29000000 * n, 10000 * n, 39000000, 0, true, 'bench' FROM generate_series(0, 2) n RETURNING id)
    INSERT INTO plan_price_tier (plan_price_id, tier_from, amount_micro, per_units)
    SELECT id, tier, amount, 1000 FROM price, (VALUES (0, 400000), (100000, 300000)) AS tiers (tier, amount)`);
  await client.query(
    `INSERT INTO tenant (id, name, plan_id, state, created_at)
     SELECT pg_temp.named('tenant' || n), 'Tenant ' || n, pg_temp.named('plan' || n % 3), 'ACTIVE', '2026-09-15' FROM generate_series(1, $1::int) n`,
    [tenants],
  );
  await client.query(
    `INSERT INTO tenant_plan (tenant_id, plan_id, valid_from) SELECT id, plan_id, created_at FROM tenant`,
  );
  // Half of a tenant's mail goes through the shared lane, half through the pool, the pool's by the hour.
  await client.query(
    `WITH usage AS (
       SELECT d.day::date AS day, n, greatest(1, ($2::bigint * 2 * n) / (31::bigint * $1 * ($1 + 1)))::bigint AS recipients
         FROM generate_series('2026-10-01'::date, '2026-10-31', interval '1 day') d (day), generate_series(1, $1::int) n)
     INSERT INTO usage_rollup (day, revision, tenant_id, sending_account_id, lane_id, sku, hour, qty, booked_at, period)
     SELECT day, 0, pg_temp.named('tenant' || n), pg_temp.named('account' || n % 20), NULL, 'ses.recipient', -1, recipients, '2026-11-02'::timestamptz, to_char(day, 'YYYY-MM') FROM usage
     UNION ALL
     SELECT day, 0, pg_temp.named('tenant' || n), pg_temp.named('account' || n % 20), pg_temp.named('pool' || n % 20), 'ses.pool_recipient', (n + h) % 24, 1 + recipients / 16,
            '2026-11-02'::timestamptz, to_char(day, 'YYYY-MM') FROM usage, generate_series(0, 7) h`,
    [tenants, attempts],
  );
  await client.query(
    `INSERT INTO usage_rollup (day, revision, tenant_id, sending_account_id, lane_id, sku, hour, qty, booked_at, period)
     SELECT d.day::date, 0, NULL, pg_temp.named('account' || n), pg_temp.named('pool' || n), 'ses.dedicated_ip_month', h, 3 * 3600000, '2026-11-02'::timestamptz, to_char(day, 'YYYY-MM')
       FROM generate_series('2026-10-01'::date, '2026-10-31', interval '1 day') d (day), generate_series(0, 19) n, generate_series(0, 23) h`,
  );
  await client.query(
    `INSERT INTO usage_day (day, revision, rolled_at, attempts, recipients, in_doubt, src_hash)
     SELECT d.day::date, 0, '2026-11-20', 0, 0, 0, sha256('') FROM generate_series('2026-09-01'::date, '2026-10-31', interval '1 day') d (day)`,
  );
  await client.query(`INSERT INTO dropped_days (parent, before) VALUES ('attempt', '2026-10-24')`);
  await client.query('COMMIT');
  await client.query('ANALYZE');
}

/** Attempts of one day, as many as asked, of all tenants; one of a hundred was tried twice. */
export async function seedAttempts(client: Client, { tenants, attempts }: BooksSize): Promise<void> {
  await client.query(NAMED);
  await client.query('SELECT create_day_partitions($1::date - 1, 3)', [LARGE_DAY]);
  await client.query(
    `WITH who AS MATERIALIZED (
       SELECT k, pg_temp.named('tenant' || k) AS tenant, pg_temp.named('account' || k % 20) AS account, pg_temp.named('pool' || k % 20) AS pool
         FROM generate_series(1, $1::int) k)
     INSERT INTO attempt (tenant_id, id, message_id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes, state, created_at, ended_at)
     SELECT tenant, gen_random_uuid(),
            (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
            no, lpad(to_hex(n / 200), 32, '0')::uuid, account, pool, 'LIVE', 'MARKETING', 1, 2000,
            CASE WHEN n % 100 = 0 AND no = 1 THEN 'NOT_SENT' ELSE 'SENT' END, at, at + interval '150 milliseconds'
       FROM (SELECT n, $3::date::timestamp AT TIME ZONE 'UTC' + make_interval(secs => 86000.0 * n / $2::int) AS at FROM generate_series(1, $2::int) n) m
       JOIN who ON k = 1 + n % $1::int, generate_series(1, 2) no WHERE no = 1 OR n % 100 = 0`,
    [tenants, attempts, LARGE_DAY],
  );
  await client.query('ANALYZE attempt');
}
