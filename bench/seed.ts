import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';

/** A fleet to measure with, written straight into the database: what joining and placing would have left there. */
export interface FleetPlan {
  readonly accounts: readonly AccountPlan[];
}

export interface AccountPlan {
  /** Recipients per second. */
  readonly rate: number;
  /** Recipients per rolling 24 h; -1 = unlimited. */
  readonly quota: number;
  /** Weights of the tenants whose mail goes through it. */
  readonly tenantWeights: readonly number[];
}

export interface SeededFleet {
  readonly accounts: readonly SeededAccount[];
  readonly tenants: readonly SeededTenant[];
}

export interface SeededAccount {
  readonly id: string;
  /** 12 digits. */
  readonly accountId: string;
  readonly laneId: string;
  readonly rate: number;
  readonly quota: number;
}

export interface SeededTenant {
  readonly id: string;
  readonly account: SeededAccount;
  readonly weight: number;
  readonly domain: string;
  /** Configuration sets as they arrive at the sink. */
  readonly sets: Readonly<Record<Stream, string>>;
}

export type Stream = 'TRANSACTIONAL' | 'MARKETING';

export const REGION = 'us-east-1';

/** `publicUrl`: the api's address, so that no worker asks SNS to deliver events elsewhere. */
export async function seedFleet(db: Client, plan: FleetPlan, publicUrl: string): Promise<SeededFleet> {
  const accounts = plan.accounts.map(({ rate, quota }, i): SeededAccount => ({
    id: randomUUID(),
    accountId: String(700_000_000_000 + i),
    laneId: randomUUID(),
    rate,
    quota,
  }));
  const tenants = plan.accounts.flatMap(({ tenantWeights }, i) =>
    tenantWeights.map((weight, t): SeededTenant => {
      const id = randomUUID();
      const short = id.replaceAll('-', '').slice(-16);
      const account = accounts[i];
      if (!account) throw new Error('an account of the plan was not made');
      const sets = { TRANSACTIONAL: `pf-${short}-tx`, MARKETING: `pf-${short}-mk` };
      return { id, account, weight, domain: `t${t}.a${i}.example`, sets };
    }),
  );
  // Limits that a measure is not about must not bind in it.
  await db.query(`UPDATE tier SET ramp_floor = 1000000000 WHERE code = 'growth'`);
  await seedAccounts(db, accounts, publicUrl);
  await seedTenants(db, tenants);
  await db.query('ANALYZE');
  return { accounts, tenants };
}

async function seedAccounts(db: Client, accounts: readonly SeededAccount[], publicUrl: string): Promise<void> {
  const owners = accounts.map(() => randomUUID());
  await db.query(
    `INSERT INTO aws_account (id, account_id, name, tier, mode, regions, external_id, send_role_arn, manage_role_arn, state, created_at, verified_at)
     SELECT a.id, a.account_id, 'Account ' || a.account_id, 'growth', 'LIVE', ARRAY[$3::text], 'external-' || a.account_id,
            'arn:aws:iam::' || a.account_id || ':role/postfleet/fleet-send', 'arn:aws:iam::' || a.account_id || ':role/postfleet/fleet-manage',
            'ACTIVE', now(), now()
       FROM unnest($1::uuid[], $2::text[]) AS a (id, account_id)`,
    [owners, accounts.map((one) => one.accountId), REGION],
  );
  await db.query(
    `INSERT INTO sending_account (id, aws_account_id, region, tier, mode, state, max_24_hour_send, max_send_rate, observed_at,
                                  topic_arn, subscription_arn, webhook_url, created_at)
     SELECT s.id, s.owner, $4, 'growth', 'LIVE', 'PRODUCTION', s.quota, s.rate, now(),
            'arn:aws:sns:' || $4 || ':' || s.account_id || ':postfleet-events',
            'arn:aws:sns:' || $4 || ':' || s.account_id || ':postfleet-events:1', $5 || '/webhooks/sns', now()
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $6::bigint[], $7::numeric[]) AS s (id, owner, account_id, quota, rate)`,
    [
      accounts.map((one) => one.id),
      owners,
      accounts.map((one) => one.accountId),
      REGION,
      publicUrl,
      accounts.map((one) => one.quota),
      accounts.map((one) => one.rate),
    ],
  );
  await db.query(
    `INSERT INTO lane (id, sending_account_id, kind, pool_name, created_at)
     SELECT l.id, l.account, 'SHARED', 'ses-shared-pool', now() FROM unnest($1::uuid[], $2::uuid[]) AS l (id, account)`,
    [accounts.map((one) => one.laneId), accounts.map((one) => one.id)],
  );
}

async function seedTenants(db: Client, tenants: readonly SeededTenant[]): Promise<void> {
  const ids = tenants.map((one) => one.id);
  const accounts = tenants.map((one) => one.account.id);
  const lanes = tenants.map((one) => one.account.laneId);
  const weights = [...new Set(tenants.map((one) => one.weight))];
  await db.query(
    `INSERT INTO plan (id, code, name, tier, streams, weight, created_at)
     SELECT gen_random_uuid(), 'weight-' || w, 'Weight ' || w, 'growth', ARRAY['TRANSACTIONAL', 'MARKETING'], w, now()
       FROM unnest($1::int[]) AS w`,
    [weights],
  );
  await db.query(
    `INSERT INTO tenant (id, name, plan_id, state, created_at)
     SELECT t.id, t.name, p.id, 'ACTIVE', now()
       FROM unnest($1::uuid[], $2::text[], $3::int[]) AS t (id, name, weight) JOIN plan p ON p.weight = t.weight AND p.code = 'weight-' || t.weight`,
    [ids, tenants.map((one) => one.domain), tenants.map((one) => one.weight)],
  );
  await db.query(
    `INSERT INTO domain (tenant_id, id, name, state, created_at, checked_at)
     SELECT d.tenant, gen_random_uuid(), d.name, 'READY', now(), now() FROM unnest($1::uuid[], $2::text[]) AS d (tenant, name)`,
    [ids, tenants.map((one) => one.domain)],
  );
  await db.query(
    `INSERT INTO domain_identity (tenant_id, domain_id, sending_account_id, state, checked_at)
     SELECT t.id, d.id, t.account, 'VERIFIED', now()
       FROM unnest($1::uuid[], $2::uuid[]) AS t (id, account) JOIN domain d ON d.tenant_id = t.id`,
    [ids, accounts],
  );
  await db.query(
    `INSERT INTO placement (tenant_id, id, mode, stream, sending_account_id, lane_id, weight, reason, decided_by, valid_from)
     SELECT t.id, gen_random_uuid(), 'LIVE', s, t.account, t.lane, 100, 'benchmark', 'benchmark', now()
       FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS t (id, account, lane), unnest(ARRAY['TRANSACTIONAL', 'MARKETING']) AS s`,
    [ids, accounts, lanes],
  );
  for (const stream of ['TRANSACTIONAL', 'MARKETING'] as const) {
    await db.query(
      `INSERT INTO configuration_set (tenant_id, sending_account_id, stream, name, lane_id, ready_at)
       SELECT t.id, t.account, $5, t.name, t.lane, now() FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) AS t (id, account, lane, name)`,
      [ids, accounts, lanes, tenants.map((one) => one.sets[stream]), stream],
    );
  }
}

/**
 * READY messages, the same number for every tenant, with one recipient and an HTML body of that many bytes that names its
 * message, so that no two are alike; as accepting them would have left them, but for idempotency keys and the timeline's first entry. Answers how many were written.
 */
export async function seedBacklog(
  db: Client,
  tenants: readonly SeededTenant[],
  each: number,
  bodyBytes: number,
  stream: Stream = 'MARKETING',
): Promise<number> {
  if (each <= 0) return 0;
  await db.query('BEGIN');
  // Message by message and tenant by tenant in turn, as a day's mail would arrive; uuid v7 keeps the order of the rows.
  await db.query(
    `CREATE TEMP TABLE fresh ON COMMIT DROP AS
     SELECT uuidv7() AS id, t.* FROM generate_series(1, $1::int) AS n,
            unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) AS t (tenant, account, lane, domain)`,
    [
      each,
      tenants.map((one) => one.id),
      tenants.map((one) => one.account.id),
      tenants.map((one) => one.account.laneId),
      tenants.map((one) => one.domain),
    ],
  );
  await db.query(
    `INSERT INTO message (tenant_id, id, mode, stream, n_rcpt, bytes, from_address, subject, idempotency_key, created_at, expires_at,
                          sending_account_id, lane_id, state)
     SELECT tenant, id, 'LIVE', $1, 1, $2, 'news@' || domain, 'Benchmark', 'benchmark', now(), now() + interval '2 days', account, lane, 'READY'
       FROM fresh`,
    [stream, bodyBytes],
  );
  await db.query(
    `INSERT INTO message_body (tenant_id, message_id, content)
     SELECT tenant, id, ($1 || domain || $2 || id || $3 || id || $4)::json FROM fresh`,
    contentParts(bodyBytes),
  );
  await db.query(
    `INSERT INTO recipient (tenant_id, message_id, position, kind, address) SELECT tenant, id, 0, 'TO', id || '@inbox.example' FROM fresh`,
  );
  const { rowCount } = await db.query(
    `INSERT INTO backlog (tenant_id, message_id, mode, stream, sending_account_id, n_rcpt, scheduled, expires_at)
     SELECT tenant, id, 'LIVE', $1, account, 1, false, now() + interval '2 days' FROM fresh`,
    [stream],
  );
  await db.query('COMMIT');
  return rowCount ?? 0;
}

const ID_BYTES = 36;

/** The stored content of a message as the api writes it, around the sender's domain and, twice, the message. */
function contentParts(bodyBytes: number): string[] {
  const content = JSON.stringify({
    from: { email: 'news@<place>' },
    to: [{ email: '<place>@inbox.example' }],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: 'Benchmark',
    html: htmlOf(bodyBytes - ID_BYTES).replace('>', '><place>'),
    headers: [],
    attachments: [],
  });
  return content.split('<place>');
}

/** How many messages wait. */
export async function countBacklog(db: Client): Promise<number> {
  const { rows } = await db.query<{ count: number }>('SELECT count(*)::int AS count FROM backlog');
  return rows[0]?.count ?? 0;
}

/** Mail-like HTML of about that many bytes. */
export function htmlOf(bytes: number): string {
  const sentence = 'The quick brown fox jumps over the lazy dog while nobody looks. ';
  return `<p>${sentence.repeat(Math.ceil(bytes / sentence.length)).slice(0, Math.max(0, bytes - 7))}</p>`;
}
