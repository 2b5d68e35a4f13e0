import { UnitOfWork } from '@libs/database';
import type { AttemptId, EventId, MessageId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { AttemptProof, Evidence, NamedAttempt, TimelineEntry } from './event-evidence.policy';
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

const RAISE = `
  UPDATE recipient r SET state = e.state, at = e.at, detail = coalesce(e.detail, r.detail)
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
      AS e(tenant_id, message_id, address, state, at, detail)
   WHERE r.tenant_id = e.tenant_id AND r.message_id = e.message_id
     AND array_position($7::text[], r.state) < array_position($7::text[], e.state)`;
const RAISE_EVERYBODY = `${RAISE} AND r.state <> 'SUPPRESSED'`;
const RAISE_ONE = `${RAISE} AND lower(r.address) = e.address`;

/** Applying events: every statement is about many messages of many tenants at once. */
@Injectable()
export class EventRepository {
  constructor(private readonly uow: UnitOfWork) {}

  attempts(ids: readonly string[]): Promise<NamedAttempt[]> {
    return this.uow.query<NamedAttempt>(
      `SELECT id, tenant_id AS "tenantId", message_id AS "messageId", sending_account_id AS "sendingAccountId", mode
         FROM attempt WHERE id = ANY($1::uuid[])`,
      [ids],
    );
  }

  /**
   * Locks these attempts and their messages as far as nobody else holds them, and answers which attempts that were. The
   * outcome writer takes the same rows in an order of its own: since this never waits for a row while it holds others,
   * the two cannot dead-lock, and what is left out is applied a moment later.
   */
  async lockFree(attempts: readonly NamedAttempt[]): Promise<Set<AttemptId>> {
    const held = await this.uow.query<MessageRef & { id: AttemptId }>(
      `SELECT a.id, a.tenant_id AS "tenantId", a.message_id AS "messageId" FROM attempt a
         JOIN unnest($1::uuid[], $2::uuid[]) AS w(tenant_id, id) ON w.tenant_id = a.tenant_id AND w.id = a.id
        ORDER BY a.id FOR NO KEY UPDATE OF a SKIP LOCKED`,
      [attempts.map((one) => one.tenantId), attempts.map((one) => one.id)],
    );
    const messages = await this.uow.query<{ id: MessageId }>(
      `SELECT m.id FROM message m
         JOIN unnest($1::uuid[], $2::uuid[]) AS w(tenant_id, id) ON w.tenant_id = m.tenant_id AND w.id = m.id
        ORDER BY m.id FOR NO KEY UPDATE OF m SKIP LOCKED`,
      [held.map((one) => one.tenantId), held.map((one) => one.messageId)],
    );
    const free = new Set(messages.map((row) => row.id));
    return new Set(held.filter((one) => free.has(one.messageId)).map((one) => one.id));
  }

  /** Adds entries that are not there yet and answers the ids of those. */
  async addEntries(entries: readonly NewTimelineEntry[]): Promise<Set<EventId>> {
    const column = <Value>(read: (entry: NewTimelineEntry) => Value): Value[] => entries.map(read);
    const rows = await this.uow.query<{ id: EventId }>(
      `INSERT INTO message_event (tenant_id, id, message_id, type, at, recipient, dedupe_key, summary, data)
       SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[],
                            $8::text[], $9::jsonb[])
       ON CONFLICT (tenant_id, message_id, dedupe_key) DO NOTHING
       RETURNING id`,
      [
        column((entry) => entry.tenantId),
        column((entry) => entry.id),
        column((entry) => entry.messageId),
        column((entry) => entry.type),
        column((entry) => entry.at),
        column((entry) => entry.recipient),
        column((entry) => entry.dedupeKey),
        column((entry) => entry.summary),
        column((entry) => JSON.stringify(entry.data)),
      ],
    );
    return new Set(rows.map((row) => row.id));
  }

  /**
   * Raises recipients to what is proven, never lowers one. First what is proven of everybody a message went to (those
   * suppressed at accept were left out of it), then of single recipients.
   */
  async raise(evidence: readonly Evidence[]): Promise<void> {
    const everybody = evidence.filter((item) => item.address === undefined);
    const single = evidence.filter((item) => item.address !== undefined);
    await this.raiseBy(everybody, RAISE_EVERYBODY);
    await this.raiseBy(single, RAISE_ONE);
  }

  private async raiseBy(evidence: readonly Evidence[], statement: string): Promise<void> {
    if (evidence.length === 0) return;
    await this.uow.query(statement, [
      evidence.map((item) => item.tenantId),
      evidence.map((item) => item.messageId),
      evidence.map((item) => item.address ?? null),
      evidence.map((item) => item.state),
      evidence.map((item) => item.at),
      evidence.map((item) => item.detail ?? null),
      EVIDENCE_ORDER,
    ]);
  }

  /** Settles attempts that SES is proven to have taken, and notes their Send events. */
  async proveAttempts(proofs: readonly AttemptProof[]): Promise<void> {
    await this.uow.query(
      `UPDATE attempt a
          SET state = CASE WHEN a.state = 'REJECTED' THEN a.state ELSE 'SENT' END,
              ended_at = CASE WHEN a.state IN ('SENT', 'REJECTED') THEN a.ended_at ELSE p.accepted_at END,
              ses_message_id = coalesce(a.ses_message_id, p.ses_message_id),
              send_event_at = coalesce(a.send_event_at, p.send_event_at)
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[])
           AS p(tenant_id, id, ses_message_id, accepted_at, send_event_at)
        WHERE a.tenant_id = p.tenant_id AND a.id = p.id
          AND (a.state NOT IN ('SENT', 'REJECTED') OR a.ses_message_id IS NULL
               OR (a.send_event_at IS NULL AND p.send_event_at IS NOT NULL))`,
      [
        proofs.map((proof) => proof.tenantId),
        proofs.map((proof) => proof.attemptId),
        proofs.map((proof) => proof.sesMessageId),
        proofs.map((proof) => proof.acceptedAt),
        proofs.map((proof) => proof.sendEventAt),
      ],
    );
  }

  /**
   * Settles messages one of whose attempts was sent. A message whose next attempt is on its way keeps its state: that
   * attempt's own outcome decides. One that had been taken back and waits again is not sent a second time.
   */
  async settleMessages(proofs: readonly AttemptProof[], at: Date): Promise<void> {
    await this.uow.query(
      `UPDATE message m SET state = 'SENT', settled_at = $3, detail = NULL
         FROM unnest($1::uuid[], $2::uuid[]) AS p(tenant_id, attempt_id)
         JOIN attempt a ON a.tenant_id = p.tenant_id AND a.id = p.attempt_id AND a.state = 'SENT'
        WHERE m.tenant_id = a.tenant_id AND m.id = a.message_id
          AND (m.state IN ('IN_DOUBT', 'READY', 'EXPIRED', 'CANCELED')
               OR (m.state = 'INTENT' AND m.attempt_no = a.attempt_no))`,
      [proofs.map((proof) => proof.tenantId), proofs.map((proof) => proof.attemptId), at],
    );
  }

  /** Which of these messages went out more than once, and how often. */
  sentTwice(messages: readonly MessageRef[]): Promise<(MessageRef & { readonly times: number })[]> {
    return this.uow.query<MessageRef & { readonly times: number }>(
      `SELECT a.tenant_id AS "tenantId", a.message_id AS "messageId", count(*)::int AS times
         FROM attempt a
         JOIN (SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[]) AS w(tenant_id, id)) AS w
           ON w.tenant_id = a.tenant_id AND w.id = a.message_id
        WHERE a.state = 'SENT' GROUP BY a.tenant_id, a.message_id HAVING count(*) > 1`,
      [messages.map((one) => one.tenantId), messages.map((one) => one.messageId)],
    );
  }

  /** Events that name an attempt under another SES id than the one known: SES took that attempt twice. */
  foreignIds(
    proofs: readonly { readonly attemptId: AttemptId; readonly sesMessageId: string }[],
  ): Promise<(MessageRef & { readonly sesMessageId: string })[]> {
    return this.uow.query<MessageRef & { readonly sesMessageId: string }>(
      `SELECT DISTINCT a.tenant_id AS "tenantId", a.message_id AS "messageId", p.ses_message_id AS "sesMessageId"
         FROM unnest($1::uuid[], $2::text[]) AS p(id, ses_message_id)
         JOIN attempt a ON a.id = p.id
        WHERE a.ses_message_id <> p.ses_message_id`,
      [proofs.map((proof) => proof.attemptId), proofs.map((proof) => proof.sesMessageId)],
    );
  }
}
