import { UnitOfWork } from '@libs/database';
import type { LaneId, MessageId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

export interface Target {
  readonly sendingAccountId: SendingAccountId;
  readonly laneId: LaneId;
}

/** A message that waits, held by this transaction. */
export interface HeldMessage extends Target {
  readonly id: MessageId;
  readonly recipients: number;
  readonly ready: boolean;
  /** The region it asks for. */
  readonly region: string | null;
}

/** Where a page of ids begins. */
export const FIRST = '00000000-0000-0000-0000-000000000000' as MessageId;

@Injectable()
export class BacklogRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Waits until every accept that is under way has ended: each shares this lock (accept.repository.ts). */
  async awaitAccepts(tenant: TenantId): Promise<void> {
    await this.uow.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`backlog ${tenant}`]);
  }

  /** A page of a stream's waiting messages after that id, in the order of their ids. */
  async page(tenant: TenantId, mode: Mode, stream: Stream, after: MessageId, limit: number): Promise<MessageId[]> {
    const rows = await this.uow.query<{ id: MessageId }>(
      `SELECT message_id AS id FROM backlog WHERE tenant_id = $1 AND mode = $2 AND stream = $3 AND message_id > $4
        ORDER BY message_id LIMIT $5`,
      [tenant, mode, stream, after, limit],
    );
    return rows.map((row) => row.id);
  }

  /**
   * Takes the rows of those that still wait. Whoever makes a message wait, or ends that, holds its row: a statement after
   * this one sees message and backlog agree until the transaction ends.
   */
  hold(tenant: TenantId, ids: readonly MessageId[]): Promise<HeldMessage[]> {
    return this.uow.query<HeldMessage>(
      `SELECT id, n_rcpt AS recipients, state = 'READY' AS ready, sending_account_id AS "sendingAccountId", lane_id AS "laneId", region
         FROM message WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND state IN ('READY', 'SCHEDULED')
        ORDER BY id FOR NO KEY UPDATE`,
      [tenant, ids],
    );
  }

  /** Moves messages held by this transaction. What a message waited for was the account it leaves. */
  async place(tenant: TenantId, moves: readonly { readonly id: MessageId; readonly to: Target }[]): Promise<void> {
    await this.uow.query(
      `WITH moved AS (
         UPDATE message m SET sending_account_id = w.account, lane_id = w.lane, not_before = NULL, detail = NULL
           FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS w(id, account, lane)
          WHERE m.tenant_id = $1 AND m.id = w.id
         RETURNING m.id, m.sending_account_id)
       UPDATE backlog b SET sending_account_id = moved.sending_account_id, due_at = CASE WHEN b.scheduled THEN b.due_at END
         FROM moved WHERE b.tenant_id = $1 AND b.message_id = moved.id`,
      [tenant, moves.map(({ id }) => id), moves.map(({ to }) => to.sendingAccountId), moves.map(({ to }) => to.laneId)],
    );
  }

  async count(tenant: TenantId, account: SendingAccountId | null): Promise<{ messages: bigint; recipients: bigint }> {
    const [row] = await this.uow.query<{ messages: string; recipients: string }>(
      `SELECT count(*) AS messages, coalesce(sum(n_rcpt), 0) AS recipients FROM backlog
        WHERE tenant_id = $1 AND ($2::uuid IS NULL OR sending_account_id = $2)`,
      [tenant, account],
    );
    return { messages: BigInt(row?.messages ?? '0'), recipients: BigInt(row?.recipients ?? '0') };
  }
}
