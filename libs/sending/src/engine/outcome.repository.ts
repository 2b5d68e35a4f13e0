import { UnitOfWork } from '@libs/database';
import {
  newId,
  type AttemptId,
  type BatchId,
  type MessageId,
  type SendingAccountId,
  type TenantId,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { attemptKey, sentKey } from '../event-type.policy';
import { verdictOf, type AttemptEnd } from './outcome.policy';

/** One attempt and what became of it. */
export interface AttemptOutcome {
  readonly tenantId: TenantId;
  readonly messageId: MessageId;
  readonly attemptId: AttemptId;
  readonly end: AttemptEnd;
  /** Engine time. */
  readonly at: Date;
}

// An attempt ends once: INTENT, or IN_DOUBT that an answer settles late. The message follows only if that attempt is
// still its last one.
const APPLY = `
  WITH o AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS o ("tenantId" uuid, "messageId" uuid, "attemptId" uuid, attempt text, message text,
           "sesMessageId" text, code text, text text, at timestamptz, "notBefore" timestamptz, recipient text)
  ), a AS (
    UPDATE attempt a SET state = o.attempt, ses_message_id = coalesce(o."sesMessageId", a.ses_message_id), error_code = o.code,
           error = o.text, ended_at = o.at
      FROM o WHERE a.tenant_id = o."tenantId" AND a.id = o."attemptId"
       AND (a.state = 'INTENT' OR (a.state = 'IN_DOUBT' AND o.attempt <> 'IN_DOUBT'))
    RETURNING a.tenant_id, a.id, a.message_id, a.attempt_no
  ), m AS (
    UPDATE message m SET state = o.message, not_before = o."notBefore", detail = o.text,
           settled_at = CASE WHEN o.message IN ('SENT', 'REJECTED') THEN o.at END
      FROM o JOIN a ON a.tenant_id = o."tenantId" AND a.id = o."attemptId"
     WHERE m.tenant_id = a.tenant_id AND m.id = a.message_id AND m.attempt_no = a.attempt_no AND m.state IN ('INTENT', 'IN_DOUBT')
    RETURNING m.tenant_id, m.id
  ), r AS (
    UPDATE recipient r SET state = o.recipient, at = o.at, detail = o.text
      FROM m JOIN o ON o."tenantId" = m.tenant_id AND o."messageId" = m.id
     WHERE r.tenant_id = m.tenant_id AND r.message_id = m.id AND r.state IN ('QUEUED', 'SENDING', 'IN_DOUBT')
  )
  SELECT a.tenant_id AS "tenantId", a.id AS "attemptId" FROM a`;

const EVENTS = `
  INSERT INTO message_event (tenant_id, id, message_id, type, at, dedupe_key, summary, data)
  SELECT e."tenantId", e.id, e."messageId", e.type, e.at, e.key, e.summary, e.data
    FROM jsonb_to_recordset($1::jsonb) AS e ("tenantId" uuid, id uuid, "messageId" uuid, type text, at timestamptz, key text, summary text,
         data jsonb)
  ON CONFLICT DO NOTHING`;

const RECIPIENT_STATE = { SENT: 'SENT', REJECTED: 'REJECTED', READY: 'QUEUED', IN_DOUBT: 'IN_DOUBT' } as const;
const MAX_ERROR = 500;

@Injectable()
export class OutcomeRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Writes ends of attempts with everything that follows from them; repeating it changes nothing. */
  async apply(outcomes: readonly AttemptOutcome[]): Promise<void> {
    if (outcomes.length === 0) return;
    const rows = outcomes.map(({ tenantId, messageId, attemptId, end, at }) => {
      const verdict = verdictOf(end);
      return {
        tenantId,
        messageId,
        attemptId,
        attempt: verdict.attempt,
        message: verdict.message,
        recipient: RECIPIENT_STATE[verdict.message],
        sesMessageId: end.kind === 'sent' ? end.sesMessageId : null,
        code: end.kind === 'sent' ? null : end.code,
        text: end.kind === 'sent' ? null : storable(end.message),
        at,
        notBefore: verdict.waitMs > 0 ? new Date(at.getTime() + verdict.waitMs) : null,
      };
    });
    const ended = await this.uow.query<{ attemptId: AttemptId }>(APPLY, [JSON.stringify(rows)]);
    const changed = new Set(ended.map((row) => row.attemptId));
    const events = outcomes.filter((outcome) => changed.has(outcome.attemptId)).flatMap(eventOf);
    if (events.length > 0) await this.uow.query(EVENTS, [JSON.stringify(events)]);
  }

  /** Recipients of a batch per tenant: those SES has or may have, and those it refused. */
  usage(batch: BatchId): Promise<{ tenantId: TenantId; used: number; refused: number }[]> {
    return this.uow.query(
      `SELECT tenant_id AS "tenantId", coalesce(sum(n_rcpt) FILTER (WHERE state <> 'NOT_SENT'), 0)::int AS used,
              coalesce(sum(n_rcpt) FILTER (WHERE state = 'NOT_SENT' AND error_code <> 'unstarted'), 0)::int AS refused
         FROM attempt WHERE batch_id = $1 GROUP BY tenant_id`,
      [batch],
    );
  }

  /** Closes a batch: from now on it counts what SES has or may have of it. */
  async settleBatch(batch: BatchId, used: number, at: Date): Promise<void> {
    await this.uow.query(
      `UPDATE batch SET state = 'SETTLED', claimed = $2, settled_at = $3 WHERE id = $1 AND state = 'OPEN'`,
      [batch, used, at],
    );
  }

  /** Attempts of a batch that nobody has ended. */
  openAttempts(batch: BatchId): Promise<{ tenantId: TenantId; messageId: MessageId; attemptId: AttemptId }[]> {
    return this.uow.query(
      `SELECT tenant_id AS "tenantId", message_id AS "messageId", id AS "attemptId" FROM attempt WHERE batch_id = $1 AND state = 'INTENT'`,
      [batch],
    );
  }

  /** Batches still open long after their slots: no request of theirs can be under way any more. */
  abandoned(
    before: Date,
    limit: number,
  ): Promise<{ id: BatchId; sendingAccountId: SendingAccountId; worker: string }[]> {
    return this.uow.query(
      `SELECT id, sending_account_id AS "sendingAccountId", worker FROM batch WHERE state = 'OPEN' AND slot_end < $1 ORDER BY slot_end LIMIT $2`,
      [before, limit],
    );
  }
}

/** PostgreSQL's text holds no NUL; one odd answer must not keep a batch of outcomes from being written. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '').slice(0, MAX_ERROR);
}

/** The timeline's entry; nothing for a try that changes nothing for the customer. */
function eventOf({ tenantId, messageId, attemptId, end, at }: AttemptOutcome): object[] {
  const entry = (type: string, key: string, summary: string, data: object) => [
    { tenantId, id: newId(), messageId, type, at, key, summary, data: { attempt: attemptId, ...data } },
  ];
  switch (verdictOf(end).message) {
    case 'SENT':
      return entry('message.sent', sentKey(attemptId), 'Amazon SES accepted the message.', {
        sesMessageId: end.kind === 'sent' ? end.sesMessageId : undefined,
      });
    case 'REJECTED':
      return end.kind === 'sent'
        ? []
        : entry(
            'message.rejected',
            attemptKey('message.rejected', attemptId),
            `Amazon SES refused the message: ${storable(end.message)}`,
            {
              code: end.code,
            },
          );
    case 'IN_DOUBT':
      return entry(
        'message.in_doubt',
        attemptKey('message.in_doubt', attemptId),
        'The connection broke before Amazon SES answered; its events will tell whether it took the message.',
        {},
      );
    default:
      return [];
  }
}
