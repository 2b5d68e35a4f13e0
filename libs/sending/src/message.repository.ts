import { UnitOfWork } from '@libs/database';
import type { EventId, MailAddress, MessageId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { NameValueInput } from './accept-input';
import type { EndedMessage } from './backlog-offer.service';
import type { EngineState } from './engine-state';
import type { Message, Recipient, RecipientKind } from './message';
import type { MessageQuery } from './message-filter.policy';
import {
  areOfBoth,
  areUndelivered,
  countAddressed,
  countTagged,
  listAlong,
  listMessages,
  listOfBoth,
  listUndelivered,
  SHOWN,
  type Lead,
  type Statement,
} from './message-list.sql';
import { leastAdvanced, type MessageState } from './recipient-state.policy';

interface MessageRow {
  readonly id: MessageId;
  readonly tenantId: TenantId;
  readonly mode: Mode;
  readonly stream: Stream;
  readonly fromAddress: string;
  readonly fromName: string | null;
  readonly subject: string;
  readonly region: string | null;
  readonly tags: NameValueInput[];
  readonly createdAt: Date;
  readonly scheduledAt: Date | null;
  readonly expiresAt: Date;
  readonly nRcpt: number;
  readonly bytes: number;
  readonly sentAt: Date | null;
  readonly sendingAccountId: SendingAccountId;
}

interface RecipientRow {
  readonly messageId: MessageId;
  readonly kind: RecipientKind;
  readonly address: string;
  readonly name: string | null;
  readonly state: MessageState;
  readonly at: Date;
  readonly detail: string | null;
}

export interface TimelineEvent {
  readonly id: EventId;
  readonly messageId: MessageId;
  readonly type: string;
  readonly at: Date;
  readonly recipient: string | null;
  readonly summary: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const COLUMNS = `m.id, m.tenant_id AS "tenantId", m.mode, m.stream, m.from_address AS "fromAddress",
  m.from_name AS "fromName", m.subject, m.region, m.tags, m.created_at AS "createdAt", m.scheduled_at AS "scheduledAt",
  m.expires_at AS "expiresAt", m.n_rcpt AS "nRcpt", m.bytes, m.sending_account_id AS "sendingAccountId",
  (SELECT min(a.ended_at) FROM attempt a
    WHERE a.tenant_id = m.tenant_id AND a.message_id = m.id AND a.state = 'SENT') AS "sentAt"`;

const FIND = `SELECT ${COLUMNS} FROM message m WHERE m.tenant_id = $1 AND m.id = ANY($2::uuid[])`;

// A reason why a message waits is not its recipients' business; a reason why it ended is.
const RECIPIENTS = `
  SELECT r.message_id AS "messageId", r.kind, r.address, r.name, coalesce(r.state, ${SHOWN}) AS state,
         coalesce(r.at, m.settled_at, m.created_at) AS at,
         CASE WHEN r.state IS NOT NULL THEN r.detail WHEN m.state NOT IN ('SCHEDULED', 'READY', 'INTENT') THEN m.detail END AS detail
    FROM recipient r JOIN message m ON m.tenant_id = r.tenant_id AND m.id = r.message_id
   WHERE r.tenant_id = $1 AND r.message_id = ANY($2::uuid[]) AND m.id = ANY($2::uuid[])
   ORDER BY r.message_id, r.position`;

// What the rows of message and attempt say by themselves is not stored a second time: that a message was accepted, and
// that SES took an attempt. Their entries carry the ids of those rows.
const HISTORY = `
  SELECT m.id, m.id AS message_id, 'message.queued' AS type, m.created_at AS at, NULL AS recipient,
         CASE WHEN m.scheduled_at IS NULL THEN 'Accepted and queued.'
              ELSE 'Accepted, to be sent from ' || to_char(m.scheduled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || ' on.' END AS summary,
         '{}'::jsonb AS data
    FROM message m
   WHERE m.tenant_id = $1 AND m.id = $2 AND (m.state <> 'SUPPRESSED' OR m.attempt_no > 0 OR m.settled_at > m.created_at)
  UNION ALL
  SELECT a.id, a.message_id, 'message.sent', CASE a.state WHEN 'SENT' THEN coalesce(a.ended_at, a.send_event_at) ELSE a.send_event_at END,
         NULL, 'Amazon SES accepted the message.', jsonb_strip_nulls(jsonb_build_object('attempt', a.id, 'sesMessageId', a.ses_message_id))
    FROM attempt a
   WHERE a.tenant_id = $1 AND a.message_id = $2 AND (a.state = 'SENT' OR a.send_event_at IS NOT NULL)
  UNION ALL
  SELECT e.id, e.message_id, e.type, e.at, e.recipient, e.summary, e.data
    FROM message_event e WHERE e.tenant_id = $1 AND e.message_id = $2`;

const EVENTS_BY_IDS = `
  SELECT e.id, e.message_id AS "messageId", e.type, e.at, e.recipient, e.summary, e.data
    FROM message_event e WHERE e.tenant_id = $1 AND e.id = ANY($2::uuid[])
  UNION ALL
  SELECT h.id, h.message_id, h.type, h.at, h.recipient, h.summary, h.data
    FROM (SELECT id FROM message WHERE tenant_id = $1 AND id = ANY($2::uuid[])
          UNION
          SELECT message_id FROM attempt WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND created_at BETWEEN $3 AND $4) AS w(message_id)
   CROSS JOIN LATERAL (${HISTORY.replaceAll('$2', 'w.message_id')}) AS h
   WHERE h.id = ANY($2::uuid[]) AND h.type IN ('message.queued', 'message.sent')`;
const TIMELINE = `
  WITH history AS MATERIALIZED (${HISTORY})
  SELECT id, message_id AS "messageId", type, at, recipient, summary, data FROM history
   WHERE $3::uuid IS NULL OR (at, id) > (SELECT c.at, c.id FROM history c WHERE c.id = $3)
   ORDER BY at, id LIMIT $4`;

// Three statements over the same ids, not one that joins: right after a campaign was accepted the planner believes its tables to be
// all but empty, and a join of ten thousand rows with ten thousand then takes longer than a statement may.
const LOCK_OPEN = `
  SELECT id FROM message WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND state IN ('SCHEDULED', 'READY')
   ORDER BY id FOR NO KEY UPDATE`;
const CANCEL = `
  UPDATE message SET state = 'CANCELED', settled_at = $3, detail = NULL WHERE tenant_id = $1 AND id = ANY($2::uuid[])
  RETURNING id, tenant_id AS "tenantId", sending_account_id AS "sendingAccountId", stream`;
const TAKE_FROM_BACKLOG = 'DELETE FROM backlog WHERE tenant_id = $1 AND message_id = ANY($2::uuid[])';

/** Messages, recipients and timelines of one tenant, for reading and canceling. */
@Injectable()
export class MessageRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async findByIds(tenant: TenantId, ids: readonly string[]): Promise<Message[]> {
    if (ids.length === 0) return [];
    const rows = await this.uow.query<MessageRow>(FIND, [tenant, ids]);
    return this.whole(tenant, rows);
  }

  /** Newest first (oldest first when read backwards), one more than asked if there is one. */
  async page(tenant: TenantId, query: MessageQuery, limit: number): Promise<Message[]> {
    const byIds = await this.byIds(tenant, query, limit + 1);
    if (byIds) {
      const ids = await this.ids(byIds);
      const found = new Map((await this.findByIds(tenant, ids)).map((message) => [message.id, message]));
      return ids.flatMap((id) => found.get(id) ?? []);
    }
    const { text, values } = listMessages(COLUMNS, tenant, query, limit + 1);
    return this.whole(tenant, await this.uow.query<MessageRow>(text, [...values]));
  }

  /** Ids of messages that match and can still be canceled, oldest first. */
  async openIds(tenant: TenantId, query: MessageQuery, limit: number): Promise<MessageId[]> {
    const open = { ...query, waiting: true, backward: true };
    return this.ids(listAlong((await this.leadTo(tenant, open)) ?? 'backlog', tenant, open, limit));
  }

  /** The statement that finds the ids of a page; undefined where messages are read as they come. */
  private async byIds(tenant: TenantId, query: MessageQuery, limit: number): Promise<Statement | undefined> {
    const lead = await this.leadTo(tenant, query);
    if (lead) return listAlong(lead, tenant, query, limit);
    // Of test messages there are few as a rule, and an index of their own.
    const inLive = query.mode !== 'TEST' && query.to === null;
    if (inLive && query.states && areUndelivered(query.states)) return listUndelivered(tenant, query, limit);
    return query.states && areOfBoth(query.states) ? listOfBoth(tenant, query, limit) : undefined;
  }

  /**
   * What leads to what is asked for by the shortest way: an idempotency key; the backlog, unless few have the address; a tag, unless
   * many have it and few of them match. Of what waits no more, the way from an address and the one to an outcome are the planner's.
   */
  private async leadTo(tenant: TenantId, query: MessageQuery): Promise<Lead | undefined> {
    const { tag, to, idempotencyKey, states, waiting } = query;
    if (idempotencyKey !== null) return 'idempotency key';
    if (to !== null) {
      if (!waiting) return undefined;
      return (await this.areFew(countAddressed(tenant, to))) ? 'address' : 'backlog';
    }
    if (tag) {
      if (states === null && !waiting) return 'message_tag';
      if (await this.areFew(countTagged(tenant, tag))) return 'message_tag';
    }
    return waiting ? 'backlog' : undefined;
  }

  private async areFew({ text, values }: Statement): Promise<boolean> {
    const [row] = await this.uow.query<{ few: boolean }>(text, [...values]);
    return row?.few === true;
  }

  private async ids({ text, values }: Statement): Promise<MessageId[]> {
    return (await this.uow.query<{ id: MessageId }>(text, [...values])).map((row) => row.id);
  }

  async recipients(tenant: TenantId, ids: readonly string[]): Promise<Map<MessageId, Recipient[]>> {
    const rows = await this.uow.query<RecipientRow>(RECIPIENTS, [tenant, ids]);
    const byMessage = new Map<MessageId, Recipient[]>();
    for (const { messageId, address, name, ...rest } of rows) {
      const list = byMessage.get(messageId) ?? [];
      list.push({ ...named(address, name), ...rest });
      byMessage.set(messageId, list);
    }
    return byMessage;
  }

  /** Oldest first; the cursor is an event of the message, or undefined for the start. */
  timeline(tenant: TenantId, message: MessageId, after: string | null, limit: number): Promise<TimelineEvent[]> {
    return this.uow.query<TimelineEvent>(TIMELINE, [tenant, message, after, limit + 1]);
  }

  /** @param between when attempts among the ids were begun: they are found by their time */
  eventsByIds(tenant: TenantId, ids: readonly string[], between: readonly [Date, Date]): Promise<TimelineEvent[]> {
    return this.uow.query<TimelineEvent>(EVENTS_BY_IDS, [tenant, ids, ...between]);
  }

  /** Cancels those that still wait, each or not at all: a claim that came first wins. Answers which were canceled. */
  async cancel(
    tenant: TenantId,
    ids: readonly string[],
    at: Date,
    eventIds: readonly EventId[],
  ): Promise<EndedMessage[]> {
    const open = (await this.uow.query<{ id: MessageId }>(LOCK_OPEN, [tenant, ids])).map(({ id }) => id);
    if (open.length === 0) return [];
    const canceled = await this.uow.query<EndedMessage>(CANCEL, [tenant, open, at]);
    await this.uow.query(TAKE_FROM_BACKLOG, [tenant, open]);
    await this.uow.query(
      `INSERT INTO message_event (tenant_id, id, message_id, type, at, dedupe_key, summary)
       SELECT $1, e.id, e.message_id, 'message.canceled', $4, 'message.canceled', 'Canceled before it was sent.'
         FROM unnest($3::uuid[], $2::uuid[]) AS e(id, message_id)
       ON CONFLICT (tenant_id, message_id, dedupe_key) DO NOTHING`,
      [tenant, canceled.map(({ id }) => id), eventIds.slice(0, canceled.length), at],
    );
    return canceled;
  }

  /** The engine's states of those of the ids that exist. */
  async states(tenant: TenantId, ids: readonly string[]): Promise<Map<string, EngineState>> {
    const rows = await this.uow.query<{ id: string; state: EngineState }>(
      'SELECT id, state FROM message WHERE tenant_id = $1 AND id = ANY($2::uuid[])',
      [tenant, ids],
    );
    return new Map(rows.map((row) => [row.id, row.state]));
  }

  /** What each message was really sent to, for its cost: recipients per attempt that SES took. */
  sentAttempts(tenant: TenantId, ids: readonly string[]): Promise<SentAttempt[]> {
    return this.uow.query<SentAttempt>(
      `SELECT message_id AS "messageId", sending_account_id AS "sendingAccountId", n_rcpt AS recipients, bytes, ended_at AS at
         FROM attempt WHERE tenant_id = $1 AND message_id = ANY($2::uuid[]) AND state = 'SENT' ORDER BY attempt_no`,
      [tenant, ids],
    );
  }

  private async whole(tenant: TenantId, rows: readonly MessageRow[]): Promise<Message[]> {
    if (rows.length === 0) return [];
    const byMessage = await this.recipients(
      tenant,
      rows.map((row) => row.id),
    );
    return rows.map(({ fromAddress, fromName, ...row }) => {
      const recipients = byMessage.get(row.id) ?? [];
      return {
        ...row,
        state: leastAdvanced(recipients.map((one) => one.state)),
        from: named(fromAddress, fromName),
        to: recipients.filter((one) => one.kind === 'TO').map((one) => named(one.email, one.name ?? null)),
        recipients,
      };
    });
  }
}

const QUERY_CANCELED = '57014';

/** A statement took longer than it may; its transaction is rolled back. */
export function isStatementTimeout(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === QUERY_CANCELED;
}

export interface SentAttempt {
  readonly messageId: MessageId;
  readonly sendingAccountId: SendingAccountId;
  readonly recipients: number;
  readonly bytes: number;
  readonly at: Date;
}

function named(email: string, name: string | null): MailAddress {
  return name === null ? { email } : { email, name };
}
