import { UnitOfWork } from '@libs/database';
import type { LaneId, MessageId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

export interface Target {
  readonly sendingAccountId: SendingAccountId;
  readonly laneId: LaneId;
}

export interface MovedMessage {
  readonly id: MessageId;
  readonly recipients: number;
  readonly ready: boolean;
  readonly from: SendingAccountId;
}

@Injectable()
export class BacklogRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Held by every accept until it commits, so that a move can wait for those that read the placement before it. */
  async share(tenant: TenantId): Promise<void> {
    await this.uow.query(`SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))`, [`backlog ${tenant}`]);
  }

  /** Waits until every accept that is under way has ended. */
  async awaitAccepts(tenant: TenantId): Promise<void> {
    await this.uow.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`backlog ${tenant}`]);
  }

  /**
   * Messages that still wait and stand elsewhere: the next page of them, moved. INTENT stays where it is. What a message
   * waited for was the account it leaves.
   */
  movePage(tenant: TenantId, mode: Mode, stream: Stream, to: Target, limit: number): Promise<MovedMessage[]> {
    return this.uow.query<MovedMessage>(
      `WITH page AS (
         SELECT id, sending_account_id FROM message
          WHERE tenant_id = $1 AND mode = $2 AND stream = $3 AND state IN ('READY', 'SCHEDULED')
            AND (sending_account_id, lane_id) IS DISTINCT FROM ($4::uuid, $5::uuid)
          ORDER BY id LIMIT $6 FOR NO KEY UPDATE)
       UPDATE message m SET sending_account_id = $4, lane_id = $5, not_before = NULL, detail = NULL
         FROM page WHERE m.tenant_id = $1 AND m.id = page.id
       RETURNING m.id, m.n_rcpt AS recipients, m.state = 'READY' AS ready, page.sending_account_id AS "from"`,
      [tenant, mode, stream, to.sendingAccountId, to.laneId, limit],
    );
  }

  async count(tenant: TenantId, account: SendingAccountId | null): Promise<{ messages: bigint; recipients: bigint }> {
    const [row] = await this.uow.query<{ messages: string; recipients: string }>(
      `SELECT count(*) AS messages, coalesce(sum(n_rcpt), 0) AS recipients FROM message
        WHERE tenant_id = $1 AND state IN ('READY', 'SCHEDULED') AND ($2::uuid IS NULL OR sending_account_id = $2)`,
      [tenant, account],
    );
    return { messages: BigInt(row?.messages ?? '0'), recipients: BigInt(row?.recipients ?? '0') };
  }
}
