import { UnitOfWork, type Statements } from '@libs/database';
import {
  newId,
  type AttemptId,
  type InDoubtPolicy,
  type MessageId,
  type SendingAccountId,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { attemptKey } from '../event-type.policy';

export interface DoubtRow {
  readonly tenantId: TenantId;
  readonly messageId: MessageId;
  readonly attemptId: AttemptId;
  readonly sendingAccountId: SendingAccountId;
  readonly stream: Stream;
  readonly policy: InDoubtPolicy;
  /** When it was claimed and when it ended: SES may have taken it at any moment between. */
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly expiresAt: Date;
}

/** What one configuration set sent in a span of time, and how much of that SES has confirmed. */
export interface SentThrough {
  readonly sendingAccountId: SendingAccountId;
  readonly tenantId: TenantId;
  readonly stream: Stream;
  readonly sent: number;
  readonly confirmed: number;
}

const DOUBTS = `
  SELECT tenant_id AS "tenantId", message_id AS "messageId", attempt_id AS "attemptId", sending_account_id AS "sendingAccountId",
         stream, policy, started_at AS "startedAt", ended_at AS "endedAt", expires_at AS "expiresAt"
    FROM in_doubt WHERE (ended_at, attempt_id) > ($1, $2) ORDER BY ended_at, attempt_id LIMIT $3`;

// One pass over the minutes in question, which lie together on disk, for all accounts at once.
const SENT = `
  SELECT sending_account_id AS "sendingAccountId", tenant_id AS "tenantId", stream,
         count(*)::int AS sent, count(send_event_at)::int AS confirmed
    FROM attempt
   WHERE created_at BETWEEN $1 AND $2 AND state = 'SENT' AND sending_account_id = ANY($3::uuid[])
   GROUP BY 1, 2, 3`;

const HOLD = `
  SELECT m.tenant_id AS "tenantId", m.id AS "messageId" FROM message m
    JOIN unnest($1::uuid[], $2::uuid[]) AS w(tenant_id, id) ON w.tenant_id = m.tenant_id AND w.id = m.id
   ORDER BY m.id FOR NO KEY UPDATE OF m SKIP LOCKED`;

const END = `
  WITH d AS (
    DELETE FROM in_doubt d USING unnest($1::uuid[], $2::uuid[]) AS w(tenant_id, attempt_id)
     WHERE d.tenant_id = w.tenant_id AND d.attempt_id = w.attempt_id AND d.message_id = ANY($3::uuid[])
    RETURNING d.tenant_id, d.message_id, d.attempt_id, d.attempt_no
  )
  UPDATE message m SET settled_at = $4, detail = $5 FROM d
   WHERE m.tenant_id = d.tenant_id AND m.id = d.message_id AND m.attempt_no = d.attempt_no AND m.state = 'IN_DOUBT'
  RETURNING m.tenant_id AS "tenantId", m.id AS "messageId", d.attempt_id AS "attemptId"`;

const EVENT = `
  INSERT INTO message_event (tenant_id, id, message_id, type, at, dedupe_key, summary)
  SELECT e.tenant_id, e.id, e.message_id, 'message.in_doubt', $5, e.key, $6
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) AS e(tenant_id, id, message_id, key)
  ON CONFLICT DO NOTHING`;

export type ResolverStatements = Omit<ResolverRepository, 'within'>;

/** Every method runs in a transaction of its caller; those that read can be looks. */
@Injectable()
export class ResolverRepository {
  constructor(@Inject(UnitOfWork) private readonly uow: Statements) {}

  /** The same statements where they are handed on (UnitOfWork.forLooks). */
  within(unit: Statements): ResolverStatements {
    return new ResolverRepository(unit);
  }

  /** Attempts in doubt after that one, oldest end first. */
  doubts(after: { readonly endedAt: Date; readonly attemptId: string }, limit: number): Promise<DoubtRow[]> {
    return this.uow.prepared<DoubtRow>(DOUBTS, [after.endedAt, after.attemptId, limit]);
  }

  /** What these accounts had claimed in that span and SES took. */
  sentBetween(accounts: readonly SendingAccountId[], from: Date, to: Date): Promise<SentThrough[]> {
    return this.uow.query<SentThrough>(SENT, [from, to, accounts]);
  }

  /** Ends doubts for good: their messages stay IN_DOUBT, settled. Answers how many; those held elsewhere come again. */
  async end(doubts: readonly DoubtRow[], why: string, now: Date): Promise<number> {
    const held = await this.uow.query<{ messageId: MessageId }>(HOLD, [
      doubts.map((doubt) => doubt.tenantId),
      doubts.map((doubt) => doubt.messageId),
    ]);
    const ended = await this.uow.query<DoubtRow>(END, [
      doubts.map((doubt) => doubt.tenantId),
      doubts.map((doubt) => doubt.attemptId),
      held.map((row) => row.messageId),
      now,
      why,
    ]);
    await this.uow.query(EVENT, [
      ended.map((row) => row.tenantId),
      ended.map(() => newId()),
      ended.map((row) => row.messageId),
      ended.map((row) => attemptKey('message.in_doubt', row.attemptId) + '|over'),
      now,
      why,
    ]);
    return ended.length;
  }
}
