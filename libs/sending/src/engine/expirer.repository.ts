import { UnitOfWork, type Statements } from '@libs/database';
import { newId, type MessageId, type TenantId } from '@libs/kernel';
import { Inject, Injectable } from '@nestjs/common';
import type { EndedMessage } from '../backlog-offer.service';
import { onceKey, type EventType } from '../event-type.policy';
import { NOBODY_KNOWS, STILL_IN_DOUBT } from './in-doubt.policy';

interface Row {
  readonly tenantId: TenantId;
  readonly id: MessageId;
}

// What waits is found in the backlog, held by its message's row, and written by the next statement, which sees both as they
// are by then: a statement that found, held and wrote at once could miss a backlog row that was just made anew.
// (`= ANY (ARRAY[x])`: see claim.sql.ts.)
const HOLD = `
  SELECT m.tenant_id AS "tenantId", m.id FROM due d
  JOIN message m ON m.tenant_id = ANY (ARRAY[d.tenant_id]) AND m.id = ANY (ARRAY[d.message_id])`;
const DUE = `
  WITH due AS MATERIALIZED (
    SELECT tenant_id, message_id FROM backlog WHERE scheduled AND due_at <= $1 AND expires_at > $1 ORDER BY due_at LIMIT $2
  )${HOLD} WHERE m.state = 'SCHEDULED' FOR NO KEY UPDATE OF m SKIP LOCKED`;
const OVER = `
  WITH due AS MATERIALIZED (
    SELECT tenant_id, message_id FROM backlog WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
  )${HOLD} FOR NO KEY UPDATE OF m SKIP LOCKED`;

const RELEASE = `
  WITH m AS (
    UPDATE message m SET state = 'READY' FROM unnest($1::uuid[], $2::uuid[]) AS w(tenant_id, id)
     WHERE m.tenant_id = w.tenant_id AND m.id = w.id
    RETURNING m.tenant_id, m.id
  )
  UPDATE backlog b SET scheduled = false, due_at = NULL FROM m WHERE b.tenant_id = m.tenant_id AND b.message_id = m.id`;

// A backlog row whose message does not wait any more is taken away with the others. One that waited to go once more, because
// nobody knew whether SES had taken it, ends in doubt: that it was not sent is more than anybody knows.
const EXPIRE = `
  WITH w AS MATERIALIZED (
    SELECT tenant_id, id, EXISTS (SELECT FROM attempt a WHERE a.tenant_id = ANY (ARRAY[w.tenant_id]) AND a.message_id = ANY (ARRAY[w.id])
                                     AND a.error_code = '${STILL_IN_DOUBT}') AS doubtful
      FROM unnest($1::uuid[], $2::uuid[]) AS w(tenant_id, id)
  ), m AS (
    UPDATE message m SET state = CASE WHEN w.doubtful THEN 'IN_DOUBT' ELSE 'EXPIRED' END, settled_at = $3,
           detail = CASE WHEN w.doubtful THEN '${NOBODY_KNOWS}' ELSE m.detail END
      FROM w
     WHERE m.tenant_id = w.tenant_id AND m.id = w.id AND m.state IN ('READY', 'SCHEDULED')
    RETURNING m.tenant_id, m.id, m.sending_account_id, m.stream, w.doubtful
  ), b AS (
    DELETE FROM backlog b USING unnest($1::uuid[], $2::uuid[]) AS w(tenant_id, id)
     WHERE b.tenant_id = w.tenant_id AND b.message_id = w.id
  )
  SELECT tenant_id AS "tenantId", id, sending_account_id AS "sendingAccountId", stream, doubtful FROM m`;

const EVENT = `
  INSERT INTO message_event (tenant_id, id, message_id, type, at, dedupe_key, summary)
  SELECT e.tenant_id, e.event_id, e.id, $5, $4, $6, $7
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS e(tenant_id, id, event_id)
  ON CONFLICT DO NOTHING`;

const NOT_SENT = 'Not sent: the message was still waiting when its time was over.';

const IS_DUE = `
  SELECT EXISTS (SELECT FROM backlog WHERE scheduled AND due_at <= $1 AND expires_at > $1) AS scheduled,
         EXISTS (SELECT FROM backlog WHERE expires_at <= $1) AS over`;

export type ExpirerStatements = Omit<ExpirerRepository, 'within'>;

/** `isDue` is a look; every other method runs in a transaction of its caller. */
@Injectable()
export class ExpirerRepository {
  constructor(@Inject(UnitOfWork) private readonly uow: Statements) {}

  /** The same statements where they are handed on (UnitOfWork.forLooks). */
  within(unit: Statements): ExpirerStatements {
    return new ExpirerRepository(unit);
  }

  /** Whether there is anything to release, or to expire. */
  async isDue(now: Date): Promise<{ scheduled: boolean; over: boolean }> {
    const [row] = await this.uow.prepared<{ scheduled: boolean; over: boolean }>(IS_DUE, [now]);
    return row ?? { scheduled: false, over: false };
  }

  /** SCHEDULED -> READY for what is due. The feeder offers them. */
  async release(now: Date, limit: number): Promise<number> {
    const rows = await this.uow.prepared<Row>(DUE, [now, limit]);
    if (rows.length > 0) await this.uow.query(RELEASE, keys(rows));
    return rows.length;
  }

  /** READY and SCHEDULED past their time -> EXPIRED, or IN_DOUBT for good, with an entry in each timeline. */
  async expire(now: Date, limit: number): Promise<EndedMessage[]> {
    const over = await this.uow.prepared<Row>(OVER, [now, limit]);
    if (over.length === 0) return [];
    const ended = await this.uow.query<EndedMessage & { doubtful: boolean }>(EXPIRE, [...keys(over), now]);
    await this.tell(
      'message.expired',
      NOT_SENT,
      ended.filter(({ doubtful }) => !doubtful),
      now,
    );
    await this.tell(
      'message.in_doubt',
      NOBODY_KNOWS,
      ended.filter(({ doubtful }) => doubtful),
      now,
    );
    return ended;
  }

  private async tell(type: EventType, summary: string, ended: readonly Row[], now: Date): Promise<void> {
    if (ended.length === 0) return;
    await this.uow.query(EVENT, [...keys(ended), ended.map(() => newId()), now, type, onceKey(type), summary]);
  }
}

function keys(rows: readonly Row[]): [TenantId[], MessageId[]] {
  return [rows.map((row) => row.tenantId), rows.map((row) => row.id)];
}
