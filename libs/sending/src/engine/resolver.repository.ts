import { UnitOfWork } from '@libs/database';
import type { AttemptId, MessageId, Stream, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

export interface DoubtRow {
  readonly tenantId: TenantId;
  readonly messageId: MessageId;
  readonly attemptId: AttemptId;
  readonly stream: Stream;
  readonly at: Date;
  readonly confirmed: boolean;
  readonly expired: boolean;
  readonly setSent: number;
  readonly setConfirmed: number;
  readonly accountSent: number;
  readonly accountConfirmed: number;
}

// A request that hung may have been taken at any moment from its claim to its end: its neighbours are those that ended in
// that span, or shortly before or after it.
const DOUBTS = `
  SELECT a.tenant_id AS "tenantId", a.message_id AS "messageId", a.id AS "attemptId", a.stream, a.ended_at AS at,
         a.send_event_at IS NOT NULL AS confirmed, m.expires_at <= $1 AS expired,
         n.set_sent AS "setSent", n.set_confirmed AS "setConfirmed", n.sent AS "accountSent", n.confirmed AS "accountConfirmed"
    FROM attempt a
    JOIN message m ON m.tenant_id = a.tenant_id AND m.id = a.message_id AND m.attempt_no = a.attempt_no AND m.state = 'IN_DOUBT'
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS sent, count(b.send_event_at)::int AS confirmed,
             (count(*) FILTER (WHERE b.tenant_id = a.tenant_id AND b.stream = a.stream))::int AS set_sent,
             (count(b.send_event_at) FILTER (WHERE b.tenant_id = a.tenant_id AND b.stream = a.stream))::int AS set_confirmed
        FROM attempt b
       WHERE b.sending_account_id = a.sending_account_id AND b.state = 'SENT'
         AND b.ended_at BETWEEN a.created_at - make_interval(secs => $2) AND a.ended_at + make_interval(secs => $2)) n
   WHERE a.state = 'IN_DOUBT'
   ORDER BY a.ended_at LIMIT $3`;

@Injectable()
export class ResolverRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Attempts in doubt, oldest first, each with what was sent around it. */
  doubts(now: Date, windowSeconds: number, limit: number): Promise<DoubtRow[]> {
    return this.uow.query<DoubtRow>(DOUBTS, [now, windowSeconds, limit]);
  }
}
