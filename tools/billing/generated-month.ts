import type { Client } from 'pg';

export interface MonthPlan {
  /** `YYYY-MM`, UTC */
  readonly period: string;
  readonly tenants: number;
  readonly messages: number;
  readonly seed: number;
}

/**
 * Writes the facts of a month as the rest of the product would have left them: tenants on plans, accounts on pricing plans
 * of which one changes in mid-month, IPs in owned and shared pools and in none, and attempts of every kind. The same seed
 * writes the same month. For the superuser of an empty, migrated database.
 */
export async function writeMonth(client: Client, plan: MonthPlan): Promise<void> {
  const start = `${plan.period}-01T00:00:00Z`;
  await client.query('BEGIN');
  await client.query(FUNCTIONS);
  await writeFleet(client, start);
  await writeTenants(client, start, plan);
  await writePools(client, start);
  await client.query(
    `SELECT create_day_partitions(day::date, 1) FROM generate_series($1::date - 1, $1::date + 31, interval '1 day') day`,
    [start],
  );
  await writeAttempts(client, start, plan);
  await client.query('COMMIT');
  await client.query('ANALYZE');
}

/** Everything follows from names and the seed: the uuid of a name, and a number from 0 to below 1. Chances are no money. */
const FUNCTIONS = `
  CREATE FUNCTION pg_temp.named(name text) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN overlay(overlay(md5(name) placing '8' from 13) placing '8' from 17)::uuid;
  CREATE FUNCTION pg_temp.chance(purpose text, n int, seed int) RETURNS numeric LANGUAGE sql IMMUTABLE
    RETURN ('x' || substr(md5(purpose || n || '.' || seed), 1, 7))::bit(28)::int::numeric / 268435456`;

/** Three accounts that send, on three pricing plans, and one that only waits. */
async function writeFleet(client: Client, start: string): Promise<void> {
  await client.query(
    `INSERT INTO aws_account (id, account_id, name, tier, mode, regions, external_id, send_role_arn, manage_role_arn, state, created_at)
     SELECT pg_temp.named('aws' || n), (210000000000 + n)::text, 'Generated ' || n, 'free', 'LIVE', '{us-east-1}', 'generated-' || n,
            'arn:aws:iam::' || (210000000000 + n) || ':role/send', 'arn:aws:iam::' || (210000000000 + n) || ':role/manage', 'ACTIVE',
            $1::timestamptz - interval '60 days'
       FROM generate_series(1, 4) n`,
    [start],
  );
  await client.query(
    `INSERT INTO sending_account (id, aws_account_id, region, tier, mode, state, max_24_hour_send, max_send_rate, pricing_plan, created_at)
     SELECT pg_temp.named('account' || n), pg_temp.named('aws' || n), 'us-east-1', 'free', 'LIVE', 'PRODUCTION', 1000000, 100,
            (ARRAY['NONE', 'ESSENTIALS', 'PRO', 'NONE'])[n], $1::timestamptz - interval '60 days'
       FROM generate_series(1, 4) n`,
    [start],
  );
  // The third account was a la carte until the eleventh.
  await client.query(
    `INSERT INTO account_plan (sending_account_id, pricing_plan, valid_from, valid_to)
     SELECT id, CASE WHEN pricing_plan = 'PRO' THEN 'NONE' ELSE pricing_plan END, created_at,
            CASE WHEN pricing_plan = 'PRO' THEN $1::timestamptz + interval '10 days' END FROM sending_account
     UNION ALL
     SELECT id, 'PRO', $1::timestamptz + interval '10 days', NULL FROM sending_account WHERE pricing_plan = 'PRO'`,
    [start],
  );
}

async function writeTenants(client: Client, start: string, { tenants }: MonthPlan): Promise<void> {
  await client.query(
    `INSERT INTO plan (id, code, name, tier, streams, weight, created_at)
     SELECT pg_temp.named('plan' || n), 'generated-' || n, (ARRAY['Start', 'Grow', 'Scale'])[n], 'free', '{TRANSACTIONAL,MARKETING}', 1, $1::timestamptz - interval '60 days'
       FROM generate_series(1, 3) n`,
    [start],
  );
  await client.query(
    `WITH price AS (
       INSERT INTO plan_price (plan_id, valid_from, base_fee_micro, included_recipients, dedicated_ip_fee_micro, minimum_micro, monotone, source)
       SELECT pg_temp.named('plan' || n), $1::timestamptz - interval '60 days', (ARRAY[0, 29000000, 199000000])[n], (ARRAY[1000, 50000, 500000])[n],
              39000000, (ARRAY[0, 0, 199000000])[n], true, 'generated' FROM generate_series(1, 3) n
       RETURNING id)
     INSERT INTO plan_price_tier (plan_price_id, tier_from, amount_micro, per_units)
     SELECT id, tier, amount, 1000 FROM price, (VALUES (0, 400000), (100000, 300000)) AS tiers (tier, amount)`,
    [start],
  );
  await client.query(
    `INSERT INTO tenant (id, name, plan_id, state, created_at)
     SELECT pg_temp.named('tenant' || n), 'Tenant ' || n, pg_temp.named('plan' || (1 + n % 3)), 'ACTIVE', $1::timestamptz - interval '30 days'
       FROM generate_series(1, $2::int) n`,
    [start, tenants],
  );
  // Every seventh tenant came from the first plan in mid-month.
  await client.query(
    `INSERT INTO tenant_plan (tenant_id, plan_id, valid_from, valid_to)
     SELECT pg_temp.named('tenant' || n), pg_temp.named('plan' || CASE WHEN n % 7 = 0 THEN 1 ELSE 1 + n % 3 END), $1::timestamptz - interval '30 days',
            CASE WHEN n % 7 = 0 THEN $1::timestamptz + interval '14 days 7 hours' END FROM generate_series(1, $2::int) n
     UNION ALL
     SELECT pg_temp.named('tenant' || n), pg_temp.named('plan' || (1 + n % 3)), $1::timestamptz + interval '14 days 7 hours', NULL
       FROM generate_series(7, $2::int, 7) n`,
    [start, tenants],
  );
}

/** Which IP was in which pool, from when after the month's beginning, until when. */
const LEASES = `(VALUES ('account1', 11, 'pool-of-all', interval '-40 days', NULL::interval), ('account1', 12, 'pool-of-all', interval '3 days 5 hours', interval '20 days'),
                          ('account1', 13, 'pool-of-one', interval '-40 days', NULL), ('account4', 14, NULL, interval '12 days', NULL))
                  AS lease (account, host, pool, since, until)`;

const WRITE_IPS = `
  INSERT INTO dedicated_ip (sending_account_id, ip, lane_id, warmup_status, warmup_percentage, leased_at, released_at)
     SELECT pg_temp.named(account), ('198.51.100.' || host)::inet, CASE WHEN pool IS NOT NULL THEN pg_temp.named(pool) END, 'DONE', 100,
            $1::timestamptz + since, $1::timestamptz + until FROM ${LEASES}`;
const WRITE_LEASES = `
  INSERT INTO ip_lease (sending_account_id, ip, lane_id, owner_tenant_id, leased_from, leased_to)
     SELECT pg_temp.named(account), ('198.51.100.' || host)::inet, CASE WHEN pool IS NOT NULL THEN pg_temp.named(pool) END,
            CASE WHEN pool = 'pool-of-one' THEN pg_temp.named('tenant1') END, $1::timestamptz + since, $1::timestamptz + until FROM ${LEASES}`;

/** Each account's shared lane; on the first a pool that all share and one that the first tenant owns; an IP in no pool. */
async function writePools(client: Client, start: string): Promise<void> {
  await client.query(
    `INSERT INTO lane (id, sending_account_id, kind, pool_name, owner_tenant_id, created_at)
     SELECT pg_temp.named('lane' || n), pg_temp.named('account' || n), 'SHARED', 'shared', NULL::uuid, $1::timestamptz - interval '60 days' FROM generate_series(1, 4) n
     UNION ALL SELECT pg_temp.named('pool-of-all'), pg_temp.named('account1'), 'POOL', 'all', NULL::uuid, $1::timestamptz - interval '60 days'
     UNION ALL SELECT pg_temp.named('pool-of-one'), pg_temp.named('account1'), 'POOL', 'one', pg_temp.named('tenant1'), $1::timestamptz - interval '60 days'`,
    [start],
  );
  await client.query(WRITE_IPS, [start]);
  await client.query(WRITE_LEASES, [start]);
}

/**
 * Of a hundred messages 94 are sent at once, one is refused, two are tried again and sent, one is in doubt and proven by its
 * event, one stays in doubt, and one is sent twice. A few tenants send most of the mail.
 */
async function writeAttempts(client: Client, start: string, { tenants, messages, seed }: MonthPlan): Promise<void> {
  await client.query(
    `WITH drawn AS (
       SELECT n, pg_temp.chance('tenant', n, $4) AS who, pg_temp.chance('kind', n, $4) AS kind, pg_temp.chance('size', n, $4) AS size,
              $1::timestamptz + make_interval(secs => (extract(epoch FROM $1::timestamptz + interval '1 month' - $1::timestamptz) * n / ($3::int + 1))) AS at
         FROM generate_series(1, $3::int) n),
     message AS (
       SELECT n, at, kind, 1 + floor(power(who, 2) * $2::int)::int AS tenant, (1 + floor(power(size, 8) * 50))::smallint AS recipients FROM drawn),
     tried AS (
       SELECT m.*, t.no, t.state, t.proven FROM message m CROSS JOIN LATERAL (
         SELECT 1 AS no, CASE WHEN kind < 0.94 THEN 'SENT' WHEN kind < 0.95 THEN 'REJECTED' WHEN kind < 0.97 THEN 'NOT_SENT'
                              WHEN kind < 0.99 THEN 'IN_DOUBT' ELSE 'SENT' END AS state, kind >= 0.97 AND kind < 0.98 AS proven
         UNION ALL SELECT 2, 'SENT', false WHERE (kind >= 0.95 AND kind < 0.97) OR kind >= 0.99) t)
     INSERT INTO attempt (tenant_id, id, message_id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes,
                          state, created_at, ended_at, send_event_at)
     SELECT pg_temp.named('tenant' || tenant), gen_random_uuid(),
            (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5('m' || n || '.' || $4::int), 1, 3) || '8'
             || substr(md5('m' || n || '.' || $4::int), 4, 15))::uuid,
            no, pg_temp.named('batch' || n), pg_temp.named('account' || (1 + tenant % 3)),
            CASE WHEN tenant % 3 <> 0 THEN pg_temp.named('lane' || (1 + tenant % 3)) WHEN tenant % 6 = 0 THEN pg_temp.named('pool-of-all') ELSE pg_temp.named('lane1') END,
            'LIVE', 'MARKETING', recipients, 2000, state, at + make_interval(secs => no), at + make_interval(secs => no + 0.2),
            CASE WHEN proven THEN at + interval '2 seconds' END
       FROM tried WHERE at + interval '5 seconds' < $1::timestamptz + interval '1 month'`,
    [start, tenants, messages, seed],
  );
}
