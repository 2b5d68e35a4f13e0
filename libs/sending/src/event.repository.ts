import { UnitOfWork } from '@libs/database';
import type { AttemptId, EventId, MessageId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Evidence, NamedAttempt, TimelineEntry } from './event-evidence.policy';
import type { ProvenAttempt } from './event-proof.policy';
import { EVIDENCE_ORDER } from './recipient-state.policy';

export interface NewTimelineEntry extends TimelineEntry {
  readonly id: EventId;
  readonly tenantId: TenantId;
  readonly messageId: MessageId;
}

export interface MessageRef {
  readonly tenantId: TenantId;
  readonly messageId: MessageId;
}

/** An attempt as an event names it, by the three tags of its mail. */
export interface AttemptRef extends MessageRef {
  readonly id: AttemptId;
}

const ATTEMPTS = `
  SELECT a.id, a.tenant_id AS "tenantId", a.message_id AS "messageId", a.attempt_no AS "attemptNo",
         a.sending_account_id AS "sendingAccountId", a.mode, a.state, a.ses_message_id AS "sesMessageId",
         a.send_event_at IS NOT NULL AS confirmed, m.state AS "messageState", m.attempt_no AS "lastAttemptNo"
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS w(tenant_id, message_id, id)
    JOIN attempt a ON a.tenant_id = w.tenant_id AND a.message_id = w.message_id AND a.id = w.id
    JOIN message m ON m.tenant_id = w.tenant_id AND m.id = w.message_id`;
const LOCK_FREE = `${ATTEMPTS} FOR NO KEY UPDATE OF a, m SKIP LOCKED`;

const ADD_ENTRIES = `
  INSERT INTO message_event (tenant_id, id, message_id, type, at, recipient, dedupe_key, summary, data)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::jsonb[])
  ON CONFLICT (tenant_id, message_id, dedupe_key) DO NOTHING
  RETURNING id`;

// A recipient of whom nothing is known alone is as its message, and that is SENT by now, or less.
const RAISE = `
  UPDATE recipient r SET state = e.state, at = e.at, detail = coalesce(e.detail, r.detail)
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
      AS e(tenant_id, message_id, address, state, at, detail)
   WHERE r.tenant_id = e.tenant_id AND r.message_id = e.message_id
     AND coalesce(array_position($7::text[], r.state), 0) < array_position($7::text[], e.state)`;
const RAISE_EVERYBODY = `${RAISE} AND r.state IS DISTINCT FROM 'SUPPRESSED'`;
const RAISE_ONE = `${RAISE} AND lower(r.address) = e.address`;

const PROVE = `
  UPDATE attempt a
     SET state = CASE WHEN a.state = 'REJECTED' THEN a.state ELSE 'SENT' END,
         ended_at = CASE WHEN a.state IN ('SENT', 'REJECTED') THEN a.ended_at ELSE p.accepted_at END,
         ses_message_id = coalesce(a.ses_message_id, p.ses_message_id),
         send_event_at = coalesce(a.send_event_at, p.send_event_at)
    FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::text[], $5::timestamptz[], $6::timestamptz[])
      AS p(tenant_id, message_id, attempt_no, ses_message_id, accepted_at, send_event_at)
   WHERE a.tenant_id = p.tenant_id AND a.message_id = p.message_id AND a.attempt_no = p.attempt_no`;

// Those who count at the same time count in parts of their own, so that none waits for another.
const COUNT_DELIVERIES = `
  INSERT INTO event_delivery AS d (day, sending_account_id, tenant_id, part, deliveries)
  SELECT w.day, w.account, w.tenant, pg_backend_pid() % 16, count(*)
    FROM unnest($1::date[], $2::uuid[], $3::uuid[]) AS w(day, account, tenant)
   GROUP BY w.day, w.account, w.tenant ORDER BY w.day, w.account, w.tenant
  ON CONFLICT (day, sending_account_id, tenant_id, part) DO UPDATE SET deliveries = d.deliveries + excluded.deliveries`;

const SETTLE = `
  WITH settled AS (
    UPDATE message m SET state = 'SENT', settled_at = $3, detail = NULL
      FROM unnest($1::uuid[], $2::uuid[]) AS p(tenant_id, id)
     WHERE m.tenant_id = p.tenant_id AND m.id = p.id
    RETURNING m.tenant_id, m.id
  ), waiting AS (
    DELETE FROM backlog b USING settled s WHERE b.tenant_id = s.tenant_id AND b.message_id = s.id
  )
  DELETE FROM in_doubt d USING settled s WHERE d.tenant_id = s.tenant_id AND d.message_id = s.id`;

const SENT_TWICE = `
  SELECT a.tenant_id AS "tenantId", a.message_id AS "messageId", count(*)::int AS times
    FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[]) AS w(tenant_id, id)) AS w
    JOIN attempt a ON a.tenant_id = w.tenant_id AND a.message_id = w.id
   WHERE a.state = 'SENT' GROUP BY a.tenant_id, a.message_id HAVING count(*) > 1`;

/** Applying events: every statement is about many messages of many tenants at once. */
@Injectable()
export class EventRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Those of the attempts that exist. */
  attempts(refs: readonly AttemptRef[]): Promise<NamedAttempt[]> {
    return this.uow.prepared<NamedAttempt>(ATTEMPTS, columnsOf(refs));
  }

  /**
   * Locks these attempts and their messages as far as nobody else holds them, and answers those. The outcome writer takes
   * the same rows in an order of its own: since this never waits for a row while it holds others, the two cannot
   * dead-lock, and what is left out is applied a moment later.
   */
  lockFree(refs: readonly AttemptRef[]): Promise<NamedAttempt[]> {
    return this.uow.prepared<NamedAttempt>(LOCK_FREE, columnsOf(refs));
  }

  /** Adds entries that are not there yet and answers the ids of those. */
  async addEntries(entries: readonly NewTimelineEntry[]): Promise<Set<EventId>> {
    if (entries.length === 0) return new Set();
    const column = <Value>(read: (entry: NewTimelineEntry) => Value): Value[] => entries.map(read);
    const rows = await this.uow.prepared<{ id: EventId }>(ADD_ENTRIES, [
      column((entry) => entry.tenantId),
      column((entry) => entry.id),
      column((entry) => entry.messageId),
      column((entry) => entry.type),
      column((entry) => entry.at),
      column((entry) => entry.recipient),
      column((entry) => entry.dedupeKey),
      column((entry) => entry.summary),
      column((entry) => JSON.stringify(entry.data)),
    ]);
    return new Set(rows.map((row) => row.id));
  }

  /**
   * Raises recipients to what is proven, never lowers one. First what is proven of everybody a message went to (those
   * suppressed at accept were left out of it), then of single recipients.
   */
  async raise(evidence: readonly Evidence[]): Promise<void> {
    await this.raiseBy(
      evidence.filter((item) => item.address === undefined),
      RAISE_EVERYBODY,
    );
    await this.raiseBy(
      evidence.filter((item) => item.address !== undefined),
      RAISE_ONE,
    );
  }

  private async raiseBy(evidence: readonly Evidence[], statement: string): Promise<void> {
    if (evidence.length === 0) return;
    await this.uow.prepared(statement, [
      evidence.map((item) => item.tenantId),
      evidence.map((item) => item.messageId),
      evidence.map((item) => item.address ?? null),
      evidence.map((item) => item.state),
      evidence.map((item) => item.at),
      evidence.map((item) => item.detail ?? null),
      EVIDENCE_ORDER,
    ]);
  }

  /** Counts what SNS delivered, for the bill: each notification once, by the day it came. */
  async countDeliveries(
    deliveries: readonly { readonly attempt: NamedAttempt; readonly receivedAt: Date }[],
  ): Promise<void> {
    await this.uow.prepared(COUNT_DELIVERIES, [
      deliveries.map((one) => one.receivedAt.toISOString().slice(0, 10)),
      deliveries.map((one) => one.attempt.sendingAccountId),
      deliveries.map((one) => one.attempt.tenantId),
    ]);
  }

  /** Settles locked attempts that SES is proven to have taken, and notes their Send events. */
  async proveAttempts(proven: readonly ProvenAttempt[]): Promise<void> {
    if (proven.length === 0) return;
    await this.uow.prepared(PROVE, [
      proven.map(({ attempt }) => attempt.tenantId),
      proven.map(({ attempt }) => attempt.messageId),
      proven.map(({ attempt }) => attempt.attemptNo),
      proven.map(({ proof }) => proof.sesMessageId),
      proven.map(({ proof }) => proof.acceptedAt),
      proven.map(({ proof }) => proof.sendEventAt),
    ]);
  }

  /** Settles locked messages as sent, wherever they waited. */
  async settleMessages(messages: readonly MessageRef[], at: Date): Promise<void> {
    if (messages.length === 0) return;
    await this.uow.prepared(SETTLE, [messages.map((one) => one.tenantId), messages.map((one) => one.messageId), at]);
  }

  /** Which of these messages went out more than once, and how often. */
  async sentTwice(messages: readonly MessageRef[]): Promise<(MessageRef & { readonly times: number })[]> {
    if (messages.length === 0) return [];
    return this.uow.prepared<MessageRef & { readonly times: number }>(SENT_TWICE, [
      messages.map((one) => one.tenantId),
      messages.map((one) => one.messageId),
    ]);
  }
}

function columnsOf(refs: readonly AttemptRef[]): unknown[] {
  return [refs.map((ref) => ref.tenantId), refs.map((ref) => ref.messageId), refs.map((ref) => ref.id)];
}
