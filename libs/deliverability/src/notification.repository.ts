import { UnitOfWork } from '@libs/database';
import type { SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { SnsMessage } from './sns-message.policy';

export interface StoredNotification {
  /** SNS's MessageId. */
  readonly id: string;
  readonly sendingAccountId: SendingAccountId;
  /** The 12 digits of the AWS account whose topic delivered it. */
  readonly accountId: string;
  readonly type: SnsMessage['Type'];
  /** The raw body as SNS posted it; its signature was checked before it was stored. */
  readonly body: string;
  readonly receivedAt: Date;
}

export interface NewNotification {
  readonly id: string;
  readonly sendingAccountId: SendingAccountId;
  readonly topicArn: string;
  readonly type: SnsMessage['Type'];
  readonly body: string;
  readonly receivedAt: Date;
  readonly state: 'STORED' | 'DONE';
  readonly reason: string | null;
}

const TAKE = (which: string) => `
  SELECT n.id, n.sending_account_id AS "sendingAccountId", a.account_id AS "accountId", n.type, n.body, n.received_at AS "receivedAt"
    FROM notification n
    JOIN sending_account s ON s.id = n.sending_account_id
    JOIN aws_account a ON a.id = s.aws_account_id
   WHERE n.state = 'STORED' ${which}
   ORDER BY n.received_at
   LIMIT $1
   FOR UPDATE OF n SKIP LOCKED`;
const TAKE_OLDEST = TAKE('');
const TAKE_ONE = TAKE('AND n.id = $2');

@Injectable()
export class NotificationRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** The sending account a topic belongs to. */
  async accountOfTopic(topicArn: string): Promise<SendingAccountId | undefined> {
    const [row] = await this.uow.query<{ id: SendingAccountId }>(
      'SELECT id FROM sending_account WHERE topic_arn = $1',
      [topicArn],
    );
    return row?.id;
  }

  /** False when SNS delivered this message before. */
  async add(notification: NewNotification): Promise<boolean> {
    const rows = await this.uow.query(
      `INSERT INTO notification (id, sending_account_id, topic_arn, type, body, received_at, state, reason)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING RETURNING id`,
      [
        notification.id,
        notification.sendingAccountId,
        notification.topicArn,
        notification.type,
        notification.body,
        notification.receivedAt,
        notification.state,
        notification.reason,
      ],
    );
    return rows.length === 1;
  }

  /** The oldest that nobody else is working on, locked until this unit ends. */
  take(limit: number, id?: string): Promise<StoredNotification[]> {
    return id === undefined
      ? this.uow.prepared<StoredNotification>(TAKE_OLDEST, [limit])
      : this.uow.prepared<StoredNotification>(TAKE_ONE, [limit, id]);
  }

  async markDone(ids: readonly string[]): Promise<void> {
    await this.uow.prepared(`UPDATE notification SET state = 'DONE' WHERE id = ANY($1::text[])`, [ids]);
  }

  async reject(rejected: readonly { readonly id: string; readonly reason: string }[]): Promise<void> {
    await this.uow.query(
      `UPDATE notification n SET state = 'REJECTED', reason = r.reason
         FROM unnest($1::text[], $2::text[]) AS r(id, reason) WHERE n.id = r.id`,
      [rejected.map((one) => one.id), rejected.map((one) => one.reason)],
    );
  }

  /** Outside of any unit: whether one waits. */
  async anyStored(): Promise<boolean> {
    return (await this.uow.look(`SELECT true FROM notification WHERE state = 'STORED' LIMIT 1`)).length > 0;
  }

  async countStored(): Promise<number> {
    const [row] = await this.uow.query<{ n: string }>(`SELECT count(*) AS n FROM notification WHERE state = 'STORED'`);
    return Number(row?.n ?? 0);
  }
}
