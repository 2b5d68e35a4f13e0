import { UnitOfWork } from '@libs/database';
import type { LaneId, MessageId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { parseRate } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import type { NameValueInput } from './accept-input';
import type { Route, Sender } from './accept-route.policy';
import type { EngineState, InDoubtPolicy, RecipientKind } from './message';
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
}

// Tenant, plan, domains and placements belong to other libs, whose services need five round trips for this; accepting
// mail is the hottest write there is, so it reads them in one.
const SENDER = `
  SELECT t.state, t.paused_reason AS "pausedReason", p.name AS "planName", p.streams, p.weight,
         p.recipients_per_day::text AS "dayCap", trim_scale(p.recipients_per_second)::text AS rate,
         p.transactional_in_doubt AS "transactionalInDoubt", p.marketing_in_doubt AS "marketingInDoubt",
         coalesce((SELECT jsonb_agg(jsonb_build_object('name', d.name, 'ready', d.state = 'READY'))
                     FROM domain d WHERE d.tenant_id = t.id AND d.name = ANY($3::text[])), '[]') AS domains,
         coalesce((SELECT jsonb_agg(jsonb_build_object('stream', c.stream, 'sendingAccountId', c.sending_account_id,
                                                       'laneId', c.lane_id, 'region', s.region, 'weight', c.weight))
                     FROM placement c JOIN sending_account s ON s.id = c.sending_account_id
                    WHERE c.tenant_id = t.id AND c.mode = $2 AND c.valid_to IS NULL), '[]') AS routes
    FROM tenant t JOIN plan p ON p.id = t.plan_id
   WHERE t.id = $1`;

const WAITING = `
  SELECT sum(n_rcpt)::text AS n FROM (
    SELECT n_rcpt FROM backlog WHERE tenant_id = $1 AND mode = $2 LIMIT $3) AS open`;

// Everything a message consists of in one statement: one round trip, whatever their number.
const INSERT = `
  WITH m AS MATERIALIZED (
    SELECT * FROM unnest($4::text[], $5::uuid[], $6::text[], $7::text[], $8::uuid[], $9::uuid[], $10::smallint[], $11::int[],
                         $12::text[], $13::text[], $14::text[], $15::jsonb[], $16::text[], $17::text[], $18::timestamptz[],
                         $19::timestamptz[], $20::jsonb[])
      AS m(idempotency_key, id, stream, state, sending_account_id, lane_id, n_rcpt, bytes, from_address, from_name, subject, tags,
           region, in_doubt_policy, scheduled_at, expires_at, content)
  ), messages AS (
    INSERT INTO message (tenant_id, mode, created_at, idempotency_key, id, stream, state, sending_account_id, lane_id, n_rcpt, bytes,
                         from_address, from_name, subject, tags, region, in_doubt_policy, scheduled_at, expires_at, settled_at)
    SELECT $1, $2, $3, idempotency_key, id, stream, state, sending_account_id, lane_id, n_rcpt, bytes, from_address, from_name,
           subject, tags, region, in_doubt_policy, scheduled_at, expires_at, CASE WHEN state = 'SUPPRESSED' THEN $3::timestamptz END
      FROM m
  ), bodies AS (
    INSERT INTO message_body (tenant_id, message_id, content) SELECT $1, id, content FROM m
  ), waiting AS (
    INSERT INTO backlog (tenant_id, message_id, mode, stream, sending_account_id, n_rcpt, scheduled, due_at, expires_at)
    SELECT $1, id, $2, stream, sending_account_id, n_rcpt, state = 'SCHEDULED', scheduled_at, expires_at
      FROM m WHERE state IN ('READY', 'SCHEDULED')
  ), events AS (
    INSERT INTO message_event (tenant_id, at, message_id, id, type, dedupe_key, summary)
    SELECT $1, $3, id, id, 'message.suppressed', 'message.suppressed',
           'Every recipient is on the suppression list: accepted, recorded and not sent.'
      FROM m WHERE state = 'SUPPRESSED'
  )
  INSERT INTO recipient (tenant_id, message_id, position, kind, address, name, state, at, detail)
  SELECT $1, r.message_id, r.position, r.kind, r.address, r.name, r.state, CASE WHEN r.state IS NOT NULL THEN $3::timestamptz END, r.detail
    FROM unnest($21::uuid[], $22::smallint[], $23::text[], $24::text[], $25::text[], $26::text[], $27::text[])
      AS r(message_id, position, kind, address, name, state, detail)`;

@Injectable()
export class AcceptRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** @param domains every name one of which a From of the call could be verified under */
  async sender(tenant: TenantId, mode: Mode, domains: readonly string[]): Promise<Sender | undefined> {
    const [row] = await this.uow.prepared<SenderRow>(SENDER, [tenant, mode, domains]);
    if (!row) return undefined;
    const { weight, dayCap, rate, transactionalInDoubt, marketingInDoubt, ...rest } = row;
    return {
      ...rest,
      inDoubt: { TRANSACTIONAL: transactionalInDoubt, MARKETING: marketingInDoubt },
      limits: { weight, dayCap: dayCap === null ? null : BigInt(dayCap), rate: rate === null ? null : parseRate(rate) },
    };
  }

  /** Recipients of the tenant that wait; counting stops a little above `enough`. */
  async waiting(tenant: TenantId, mode: Mode, enough: bigint): Promise<bigint> {
    const [row] = await this.uow.prepared<{ n: string | null }>(WAITING, [tenant, mode, String(enough + 1n)]);
    return BigInt(row?.n ?? '0');
  }

  /** Writes all messages of one tenant's calls. */
  async insert(tenant: TenantId, mode: Mode, at: Date, rows: readonly AcceptedRow[]): Promise<void> {
    const column = <Value>(read: (message: NewMessage) => Value): Value[] => rows.map((row) => read(row.message));
    const recipients = rows.flatMap(({ message: { id, recipients: list } }) =>
      list.map((one, position) => ({ id, position, ...one })),
    );
    await this.uow.prepared(INSERT, [
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
      column((message) => message.scheduledAt),
      column((message) => message.expiresAt),
      column((message) => JSON.stringify(message.content)),
      recipients.map((one) => one.id),
      recipients.map((one) => one.position),
      recipients.map((one) => one.kind),
      recipients.map((one) => one.address),
      recipients.map((one) => one.name),
      recipients.map((one) => one.state),
      recipients.map((one) => one.detail),
    ]);
  }
}
