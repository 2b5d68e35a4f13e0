import { UnitOfWork } from '@libs/database';
import type { LaneId, MessageId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { parseRate } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import type { NameValueInput } from './accept-input';
import type { Route, Sender } from './accept-route.policy';
import type { EventType } from './event-type.policy';
import type { EngineState, RecipientKind } from './message';
import type { MessageState } from './recipient-state.policy';
import type { StoredContent } from './stored-content';

export interface NewRecipient {
  readonly kind: RecipientKind;
  readonly address: string;
  readonly name: string | null;
  readonly state: MessageState;
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
  readonly scheduledAt: Date | null;
  readonly expiresAt: Date;
  readonly content: StoredContent;
  readonly recipients: readonly NewRecipient[];
  readonly event: { readonly id: string; readonly type: EventType; readonly summary: string };
}

interface SenderRow {
  readonly state: Sender['state'];
  readonly pausedReason: string | null;
  readonly planName: string;
  readonly streams: Stream[];
  readonly weight: number;
  readonly dayCap: string | null;
  readonly rate: string | null;
  readonly domains: { name: string; ready: boolean }[];
  readonly routes: Route[];
}

// Tenant, plan, domains and placements belong to other libs, whose services need five round trips for this; accepting
// mail is the hottest write there is, so it reads them in one.
const SENDER = `
  SELECT t.state, t.paused_reason AS "pausedReason", p.name AS "planName", p.streams, p.weight,
         p.recipients_per_day::text AS "dayCap", trim_scale(p.recipients_per_second)::text AS rate,
         coalesce((SELECT jsonb_agg(jsonb_build_object('name', d.name, 'ready', d.state = 'READY'))
                     FROM domain d WHERE d.tenant_id = t.id AND d.name = ANY($3::text[])), '[]') AS domains,
         coalesce((SELECT jsonb_agg(jsonb_build_object('stream', c.stream, 'sendingAccountId', c.sending_account_id,
                                                       'laneId', c.lane_id, 'region', s.region, 'weight', c.weight))
                     FROM placement c JOIN sending_account s ON s.id = c.sending_account_id
                    WHERE c.tenant_id = t.id AND c.mode = $2 AND c.valid_to IS NULL), '[]') AS routes
    FROM tenant t JOIN plan p ON p.id = t.plan_id
   WHERE t.id = $1`;

@Injectable()
export class AcceptRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** @param domains every name one of which a From of the call could be verified under */
  async sender(tenant: TenantId, mode: Mode, domains: readonly string[]): Promise<Sender | undefined> {
    const [row] = await this.uow.query<SenderRow>(SENDER, [tenant, mode, domains]);
    if (!row) return undefined;
    const { weight, dayCap, rate, ...rest } = row;
    return {
      ...rest,
      limits: { weight, dayCap: dayCap === null ? null : BigInt(dayCap), rate: rate === null ? null : parseRate(rate) },
    };
  }

  /** Recipients of the tenant that wait; counting stops a little above `enough`. */
  async waiting(tenant: TenantId, mode: Mode, enough: bigint): Promise<bigint> {
    const [row] = await this.uow.query<{ n: string | null }>(
      `SELECT sum(n_rcpt)::text AS n FROM (
         SELECT n_rcpt FROM message WHERE tenant_id = $1 AND mode = $2 AND state IN ('READY', 'SCHEDULED') LIMIT $3) AS open`,
      [tenant, mode, String(enough + 1n)],
    );
    return BigInt(row?.n ?? '0');
  }

  /** Writes all messages of a call: four statements, whatever their number. */
  async insert(
    tenant: TenantId,
    mode: Mode,
    idempotencyKey: string,
    at: Date,
    messages: readonly NewMessage[],
  ): Promise<void> {
    const column = <Value>(read: (message: NewMessage) => Value): Value[] => messages.map(read);
    const ids = column((message) => message.id);
    await this.uow.query(
      `INSERT INTO message (tenant_id, mode, idempotency_key, created_at, id, stream, state, sending_account_id, lane_id,
                            n_rcpt, bytes, from_address, from_name, subject, tags, region, scheduled_at, expires_at, settled_at)
       SELECT $1, $2, $3, $4, m.*, CASE WHEN m.state = 'SUPPRESSED' THEN $4::timestamptz END
         FROM unnest($5::uuid[], $6::text[], $7::text[], $8::uuid[], $9::uuid[], $10::smallint[], $11::int[], $12::text[],
                     $13::text[], $14::text[], $15::jsonb[], $16::text[], $17::timestamptz[], $18::timestamptz[])
           AS m(id, stream, state, sending_account_id, lane_id, n_rcpt, bytes, from_address, from_name, subject, tags,
                region, scheduled_at, expires_at)`,
      [
        tenant,
        mode,
        idempotencyKey,
        at,
        ids,
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
        column((message) => message.scheduledAt),
        column((message) => message.expiresAt),
      ],
    );
    await this.uow.query(
      `INSERT INTO message_body (tenant_id, message_id, content)
       SELECT $1, b.id, b.content FROM unnest($2::uuid[], $3::jsonb[]) AS b(id, content)`,
      [tenant, ids, column((message) => JSON.stringify(message.content))],
    );
    const recipients = messages.flatMap(({ id, recipients: list }) =>
      list.map((one, position) => ({ id, position, ...one })),
    );
    await this.uow.query(
      `INSERT INTO recipient (tenant_id, at, message_id, position, kind, address, name, state, detail)
       SELECT $1, $2, r.*
         FROM unnest($3::uuid[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
           AS r(message_id, position, kind, address, name, state, detail)`,
      [
        tenant,
        at,
        recipients.map((one) => one.id),
        recipients.map((one) => one.position),
        recipients.map((one) => one.kind),
        recipients.map((one) => one.address),
        recipients.map((one) => one.name),
        recipients.map((one) => one.state),
        recipients.map((one) => one.detail),
      ],
    );
    await this.uow.query(
      `INSERT INTO message_event (tenant_id, at, message_id, id, type, dedupe_key, summary)
       SELECT $1, $2, e.message_id, e.id, e.type, e.type, e.summary
         FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[]) AS e(message_id, id, type, summary)`,
      [
        tenant,
        at,
        ids,
        column((message) => message.event.id),
        column((message) => message.event.type),
        column((message) => message.event.summary),
      ],
    );
  }
}
