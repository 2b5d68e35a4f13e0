import { UnitOfWork } from '@libs/database';
import { newId, type MessageId, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { onceKey } from '../event-type.policy';

interface Row {
  readonly tenantId: TenantId;
  readonly id: MessageId;
}

const RELEASE = `
  WITH due AS (
    SELECT tenant_id, id FROM message WHERE state = 'SCHEDULED' AND scheduled_at <= $1 AND expires_at > $1
     ORDER BY scheduled_at LIMIT $2 FOR UPDATE SKIP LOCKED
  ), m AS (
    UPDATE message m SET state = 'READY' FROM due WHERE m.tenant_id = due.tenant_id AND m.id = due.id
    RETURNING m.tenant_id, m.id
  ), r AS (
    UPDATE recipient r SET state = 'QUEUED', at = $1 FROM m
     WHERE r.tenant_id = m.tenant_id AND r.message_id = m.id AND r.state = 'SCHEDULED'
  )
  SELECT tenant_id AS "tenantId", id FROM m`;

const EXPIRE = `
  WITH due AS (
    SELECT tenant_id, id FROM message WHERE state IN ('READY', 'SCHEDULED') AND expires_at <= $1
     ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
  ), m AS (
    UPDATE message m SET state = 'EXPIRED', settled_at = $1 FROM due WHERE m.tenant_id = due.tenant_id AND m.id = due.id
    RETURNING m.tenant_id, m.id
  ), r AS (
    UPDATE recipient r SET state = 'EXPIRED', at = $1 FROM m
     WHERE r.tenant_id = m.tenant_id AND r.message_id = m.id AND r.state IN ('SCHEDULED', 'QUEUED')
  )
  SELECT tenant_id AS "tenantId", id FROM m`;

const EVENT = `
  INSERT INTO message_event (tenant_id, id, message_id, type, at, dedupe_key, summary)
  SELECT e."tenantId", e."eventId", e.id, 'message.expired', $2, $3, 'Not sent: the message was still waiting when its time was over.'
    FROM jsonb_to_recordset($1::jsonb) AS e ("tenantId" uuid, id uuid, "eventId" uuid)
  ON CONFLICT DO NOTHING`;

@Injectable()
export class ExpirerRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** SCHEDULED -> READY for what is due. The feeder offers them. */
  async release(now: Date, limit: number): Promise<number> {
    return (await this.uow.query<Row>(RELEASE, [now, limit])).length;
  }

  /** READY and SCHEDULED past their time -> EXPIRED, with an entry in each timeline. */
  async expire(now: Date, limit: number): Promise<number> {
    const rows = await this.uow.query<Row>(EXPIRE, [now, limit]);
    if (rows.length > 0) {
      const events = rows.map((row) => ({ ...row, eventId: newId() }));
      await this.uow.query(EVENT, [JSON.stringify(events), now, onceKey('message.expired')]);
    }
    return rows.length;
  }
}
