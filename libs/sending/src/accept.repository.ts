import { binaryTexts, UnitOfWork } from '@libs/database';
import {
  EngineClock,
  type InDoubtPolicy,
  type LaneId,
  type MessageId,
  type Mode,
  type SendingAccountId,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import { countsTowardsDailyCapSinceMs, parseRate } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import type { NameValueInput } from './accept-input';
import type { Route, Sender } from './accept-route.policy';
import { formerAccounts } from './former-accounts.sql';
import type { RememberedCall } from './idempotency.repository';
import type { EngineState } from './engine-state';
import type { RecipientKind } from './message';
import type { StoredContent } from './stored-content';

export interface NewRecipient {
  readonly kind: RecipientKind;
  readonly address: string;
  readonly name: string | null;
  /** What is known of this recipient alone; null = as its message. */
  readonly state: 'SUPPRESSED' | null;
  readonly detail: string | null;
}

export interface NewMessage {
  readonly id: MessageId;
  readonly stream: Stream;
  readonly state: EngineState;
  readonly sendingAccountId: SendingAccountId;
  readonly laneId: LaneId;
  readonly nRcpt: number;
  readonly bytes: number;
  /** Of its attachments, decoded; SES charges for them apart. 0 for a raw message: what is in it is not told apart. */
  readonly attachmentBytes: number;
  readonly fromAddress: string;
  readonly fromName: string | null;
  readonly subject: string;
  readonly tags: readonly NameValueInput[];
  readonly region: string | null;
  readonly inDoubt: InDoubtPolicy;
  readonly scheduledAt: Date | null;
  readonly expiresAt: Date;
  readonly content: StoredContent;
  readonly recipients: readonly NewRecipient[];
}

/** A message and the call it came with. */
export interface AcceptedRow {
  readonly idempotencyKey: string;
  readonly message: NewMessage;
}

/** What an accept asks for at its beginning. */
export interface OpenRequest {
  /** Every name one of which a From of the calls could be verified under. */
  readonly domains: readonly string[];
  readonly keys: readonly string[];
  readonly suppressionKeys: readonly string[];
  readonly lockTimeoutMs: number;
  /** False answers `moving` instead of waiting while mail of the tenant is being moved. */
  readonly waitsForMove: boolean;
}

export interface Opened {
  readonly sender: Sender;
  /** Earlier calls under the keys. */
  readonly known: ReadonlyMap<string, RememberedCall>;
  /** Those of the suppression keys that are on the tenant's list. */
  readonly suppressed: ReadonlySet<string>;
}

export interface NewCall extends RememberedCall {
  readonly key: string;
}

interface SenderRow {
  readonly state: Sender['state'];
  readonly pausedReason: string | null;
  readonly planName: string;
  readonly streams: Stream[];
  readonly weight: number;
  readonly dayCap: string | null;
  readonly rate: string | null;
  readonly transactionalInDoubt: InDoubtPolicy;
  readonly marketingInDoubt: InDoubtPolicy;
  readonly domains: { name: string; ready: boolean }[];
  readonly routes: Route[];
  readonly holds: { stream: Stream; until: string }[];
  /** Through which accounts besides those it may have sent what still counts towards its cap. */
  readonly formerlyOn: readonly SendingAccountId[];
}

// Tenant, plan, domains and placements belong to other libs, whose services need five round trips for this; accepting
// mail is the hottest write there is, so it reads them in one.
const senderColumns = (since: string) => `
         t.state, t.paused_reason AS "pausedReason", p.name AS "planName", p.streams, p.weight,
         p.recipients_per_day::text AS "dayCap", trim_scale(p.recipients_per_second)::text AS rate,
         p.transactional_in_doubt AS "transactionalInDoubt", p.marketing_in_doubt AS "marketingInDoubt",
         coalesce((SELECT jsonb_agg(jsonb_build_object('name', d.name, 'ready', d.state = 'READY'))
                     FROM domain d WHERE d.tenant_id = t.id AND d.name = ANY($3::text[])), '[]') AS domains,
         coalesce((SELECT jsonb_agg(jsonb_build_object('stream', c.stream, 'sendingAccountId', c.sending_account_id,
                                                       'laneId', c.lane_id, 'region', s.region, 'weight', c.weight))
                     FROM placement c JOIN sending_account s ON s.id = c.sending_account_id
                    WHERE c.tenant_id = t.id AND c.mode = $2 AND c.valid_to IS NULL), '[]') AS routes,
         coalesce((SELECT jsonb_agg(jsonb_build_object('stream', h.stream, 'until', h.until))
                     FROM stream_hold h WHERE h.tenant_id = t.id AND $2 = 'LIVE'), '[]') AS holds,
         ARRAY(${formerAccounts('t.id', '$2', `${since}::timestamptz`)}) AS "formerlyOn"`;
const SENDER = `SELECT ${senderColumns('$4')} FROM tenant t JOIN plan p ON p.id = t.plan_id WHERE t.id = $1`;

// The lock is BacklogRepository's: held by every accept until it commits, so that a move can wait for those that read the
// placement before it. From here on the accept waits for no lock longer than $6.
const openWith = (lock: string) => `
  SELECT ${lock}(hashtextextended('backlog ' || $1::uuid, 0)) AS locked, set_config('lock_timeout', $6, true),
         (SELECT jsonb_agg(jsonb_build_object('key', i.key, 'hash', encode(i.request_hash, 'hex'), 'result', i.result))
            FROM idempotency i WHERE i.tenant_id = $1 AND i.mode = $2 AND i.key = ANY($4::text[])) AS known,
         (SELECT array_agg(s.address) FROM suppression s WHERE s.tenant_id = $1 AND s.address = ANY($5::text[])) AS suppressed,
         ${senderColumns('$7')}
    FROM tenant t JOIN plan p ON p.id = t.plan_id WHERE t.id = $1`;
const OPEN = openWith('pg_advisory_xact_lock_shared');
const OPEN_UNLESS_MOVING = openWith('pg_try_advisory_xact_lock_shared');

interface OpenRow extends SenderRow {
  /** False: it was held by a move. */
  readonly locked: boolean | '';
  readonly known: { key: string; hash: string; result: RememberedCall['result'] }[] | null;
  readonly suppressed: string[] | null;
}

const WAITING = `
  SELECT sum(n_rcpt)::text AS n FROM (
    SELECT n_rcpt FROM backlog WHERE tenant_id = $1 AND mode = $2 LIMIT $3) AS open`;

// The calls, and what every message consists of, in one statement: one round trip, whatever their number. Of a call
// whose key another one took first, nothing is written. In the order of keys, so that two transactions with the same keys
// wait for each other one way round only.
const INSERT = `
  WITH call AS MATERIALIZED (
    INSERT INTO idempotency (tenant_id, mode, key, request_hash, result, created_at)
    SELECT $1, $2, c.key, c.hash, c.result, $3 FROM unnest($28::text[], $29::bytea[], $30::jsonb[]) AS c(key, hash, result) ORDER BY c.key
    ON CONFLICT (tenant_id, mode, key) DO NOTHING RETURNING key
  ), m AS MATERIALIZED (
    SELECT * FROM unnest($4::text[], $5::uuid[], $6::text[], $7::text[], $8::uuid[], $9::uuid[], $10::smallint[], $11::int[],
                         $12::text[], $13::text[], $14::text[], $15::jsonb[], $16::text[], $17::text[], $18::timestamptz[],
                         $19::timestamptz[])
      AS m(idempotency_key, id, stream, state, sending_account_id, lane_id, n_rcpt, bytes, from_address, from_name, subject, tags,
           region, in_doubt_policy, scheduled_at, expires_at)
     WHERE idempotency_key IN (SELECT key FROM call)
  ), messages AS (
    INSERT INTO message (tenant_id, mode, created_at, idempotency_key, id, stream, state, sending_account_id, lane_id, n_rcpt, bytes,
                         from_address, from_name, subject, tags, region, in_doubt_policy, scheduled_at, expires_at, settled_at)
    SELECT $1, $2, $3, idempotency_key, id, stream, state, sending_account_id, lane_id, n_rcpt, bytes, from_address, from_name,
           subject, tags, region, in_doubt_policy, scheduled_at, expires_at, CASE WHEN state = 'SUPPRESSED' THEN $3::timestamptz END
      FROM m
  ), bodies AS (
    -- Not by way of m, which would copy the bodies once more.
    INSERT INTO message_body (tenant_id, message_id, content)
    SELECT $1, b.id, b.content::json
      FROM (SELECT unnest($4::text[]) AS idempotency_key, unnest($5::uuid[]) AS id, unnest($20::text[]) AS content) b
     WHERE b.idempotency_key IN (SELECT key FROM call)
  ), waiting AS (
    INSERT INTO backlog (tenant_id, message_id, mode, stream, sending_account_id, n_rcpt, scheduled, due_at, expires_at)
    SELECT $1, id, $2, stream, sending_account_id, n_rcpt, state = 'SCHEDULED', scheduled_at, expires_at
      FROM m WHERE state IN ('READY', 'SCHEDULED')
  ), recipients AS (
    INSERT INTO recipient (tenant_id, message_id, position, kind, address, name, state, at, detail)
    SELECT $1, r.message_id, r.position, r.kind, r.address, r.name, r.state, CASE WHEN r.state IS NOT NULL THEN $3::timestamptz END, r.detail
      FROM unnest($21::uuid[], $22::smallint[], $23::text[], $24::text[], $25::text[], $26::text[], $27::text[])
        AS r(message_id, position, kind, address, name, state, detail)
     WHERE r.message_id IN (SELECT id FROM m)
  )
  SELECT key FROM call`;

const SUPPRESSED = `
  INSERT INTO message_event (tenant_id, at, message_id, id, type, dedupe_key, summary)
  SELECT $1, $2, id, id, 'message.suppressed', 'message.suppressed',
         'Every recipient is on the suppression list: accepted, recorded and not sent.'
    FROM unnest($3::uuid[]) AS m (id)`;

const ATTACHMENTS = `INSERT INTO message_attachment (tenant_id, message_id, bytes) SELECT $1, * FROM unnest($2::uuid[], $3::int[])`;

const TAGS = `
  INSERT INTO message_tag (tenant_id, message_id, name, value)
  SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[])`;

@Injectable()
export class AcceptRepository {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
  ) {}

  /** @param domains every name one of which a From of the call could be verified under */
  async sender(tenant: TenantId, mode: Mode, domains: readonly string[]): Promise<Sender | undefined> {
    const [row] = await this.uow.prepared<SenderRow>(SENDER, [tenant, mode, domains, this.counted()]);
    return row && senderOf(row);
  }

  /**
   * Begins an accept: waits for a move of the tenant's backlog, and reads all that deciding needs.
   * @returns undefined when there is no such tenant
   */
  async open(tenant: TenantId, mode: Mode, wanted: OpenRequest): Promise<Opened | 'moving' | undefined> {
    const [row] = await this.uow.prepared<OpenRow>(wanted.waitsForMove ? OPEN : OPEN_UNLESS_MOVING, [
      tenant,
      mode,
      wanted.domains,
      wanted.keys,
      wanted.suppressionKeys,
      String(wanted.lockTimeoutMs),
      this.counted(),
    ]);
    if (!row) return undefined;
    if (row.locked === false) return 'moving';
    const { known, suppressed, ...sender } = row;
    return {
      sender: senderOf(sender),
      known: new Map(
        (known ?? []).map(({ key, hash, result }) => [key, { requestHash: Buffer.from(hash, 'hex'), result }]),
      ),
      suppressed: new Set(suppressed ?? []),
    };
  }

  /** Since when what was sent counts towards daily caps. */
  private counted(): Date {
    return new Date(countsTowardsDailyCapSinceMs(this.clock.nowMs(), this.clock.scale.speed));
  }

  /** Recipients of the tenant that wait; counting stops a little above `enough`. */
  async waiting(tenant: TenantId, mode: Mode, enough: bigint): Promise<bigint> {
    const [row] = await this.uow.prepared<{ n: string | null }>(WAITING, [tenant, mode, String(enough + 1n)]);
    return BigInt(row?.n ?? '0');
  }

  /**
   * Remembers calls and writes their messages; answers the keys that were free. This waits for a call under the same key
   * that is under way; when that takes longer than the lock timeout it fails (isLockTimeout).
   */
  async insert(
    tenant: TenantId,
    mode: Mode,
    at: Date,
    calls: readonly NewCall[],
    rows: readonly AcceptedRow[],
  ): Promise<Set<string>> {
    const column = <Value>(read: (message: NewMessage) => Value): Value[] => rows.map((row) => read(row.message));
    const recipients = rows.flatMap(({ message: { id, recipients: list } }) =>
      list.map((one, position) => ({ id, position, ...one })),
    );
    const added = await this.uow.prepared<{ key: string }>(INSERT, [
      tenant,
      mode,
      at,
      rows.map((row) => row.idempotencyKey),
      column((message) => message.id),
      column((message) => message.stream),
      column((message) => message.state),
      column((message) => message.sendingAccountId),
      column((message) => message.laneId),
      column((message) => message.nRcpt),
      column((message) => message.bytes),
      column((message) => message.fromAddress),
      column((message) => message.fromName),
      column((message) => message.subject),
      column((message) => JSON.stringify(message.tags)),
      column((message) => message.region),
      column((message) => message.inDoubt),
      column((message) => message.scheduledAt?.toISOString() ?? null),
      column((message) => message.expiresAt.toISOString()),
      binaryTexts(column((message) => JSON.stringify(message.content))),
      recipients.map((one) => one.id),
      recipients.map((one) => one.position),
      recipients.map((one) => one.kind),
      recipients.map((one) => one.address),
      recipients.map((one) => one.name),
      recipients.map((one) => one.state),
      recipients.map((one) => one.detail),
      calls.map((call) => call.key),
      calls.map((call) => call.requestHash),
      calls.map((call) => JSON.stringify(call.result)),
    ]);
    const free = new Set(added.map((row) => row.key));
    const written = rows.filter((row) => free.has(row.idempotencyKey)).map((row) => row.message);
    await this.insertSuppressed(tenant, at, written);
    await this.insertAttachments(tenant, written);
    await this.insertTags(tenant, written);
    return free;
  }

  /** Statements of their own: most mail has none of them, and to prepare for them costs an eighth of a call with one message. */
  private async insertSuppressed(tenant: TenantId, at: Date, written: readonly NewMessage[]): Promise<void> {
    const ids = written.filter((message) => message.state === 'SUPPRESSED').map((message) => message.id);
    if (ids.length > 0) await this.uow.prepared(SUPPRESSED, [tenant, at, ids]);
  }

  private async insertAttachments(tenant: TenantId, written: readonly NewMessage[]): Promise<void> {
    const rows = written.filter((message) => message.attachmentBytes > 0);
    if (rows.length === 0) return;
    await this.uow.prepared(ATTACHMENTS, [tenant, rows.map((row) => row.id), rows.map((row) => row.attachmentBytes)]);
  }

  private async insertTags(tenant: TenantId, written: readonly NewMessage[]): Promise<void> {
    const rows = written.flatMap(({ id, tags }) => tags.map((tag) => ({ id, ...tag })));
    if (rows.length === 0) return;
    await this.uow.prepared(TAGS, [
      tenant,
      rows.map((row) => row.id),
      rows.map((row) => row.name),
      rows.map((row) => row.value),
    ]);
  }
}

function senderOf(row: SenderRow): Sender {
  const { state, pausedReason, planName, streams, weight, dayCap, rate, domains, routes, formerlyOn } = row;
  const goesOn = routes.filter((route) => route.weight > 0).map((route) => route.sendingAccountId);
  return {
    state,
    pausedReason,
    planName,
    streams,
    domains,
    routes,
    holds: row.holds.map(({ stream, until }) => ({ stream, until: new Date(until) })),
    inDoubt: { TRANSACTIONAL: row.transactionalInDoubt, MARKETING: row.marketingInDoubt },
    limits: {
      weight,
      dayCap: dayCap === null ? null : BigInt(dayCap),
      rate: rate === null ? null : parseRate(rate),
      // On several accounts each has a part of them.
      leased: new Set([...goesOn, ...formerlyOn]).size > 1,
    },
  };
}
