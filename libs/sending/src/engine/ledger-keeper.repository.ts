import { UnitOfWork } from '@libs/database';
import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import type { UsedMinute } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { formerAccounts } from '../former-accounts.sql';
import { groupBy } from './side-by-side';

interface MinuteRow {
  readonly start: Date;
  readonly recipients: string;
}

// By the time of the claim, which is never before the grant's minute: a day of a capped tenant is as short as its cap, a
// day of the account is not. A tenant that was re-routed to the account has no placement on it. One whose plan has no cap is
// capped by the ramp, and may be by another plan tomorrow.
const USED_BY_TENANT = `
  WITH used AS (
    SELECT t.id FROM tenant t JOIN sending_account s ON s.id = $1
     WHERE EXISTS (SELECT FROM placement c WHERE c.tenant_id = t.id AND c.sending_account_id = $1 AND c.valid_to IS NULL)
        OR $1 IN (${formerAccounts('t.id', 's.mode', '$2::timestamptz')})
        OR EXISTS (SELECT FROM backlog b WHERE b.sending_account_id = $1 AND b.tenant_id = t.id
                    AND b.stream IN ('TRANSACTIONAL', 'MARKETING') AND NOT b.scheduled)
  )
  SELECT a.tenant_id AS "tenantId", date_trunc('minute', a.created_at) AS start, sum(a.n_rcpt)::text AS recipients
    FROM used JOIN attempt a ON a.tenant_id = used.id AND a.created_at >= $2
   WHERE a.sending_account_id = $1 AND a.state NOT IN ('NOT_SENT', 'REJECTED') GROUP BY 1, 2`;

const USED_BY_LANE = `
  SELECT a.lane_id AS "laneId", b.bucket AS start, sum(a.n_rcpt)::text AS recipients
    FROM batch b CROSS JOIN LATERAL unnest(b.tenant_ids, b.message_ids) AS w (tenant_id, message_id)
    JOIN attempt a ON a.tenant_id = w.tenant_id AND a.message_id = w.message_id AND a.batch_id = b.id
   WHERE b.sending_account_id = $1 AND b.bucket >= $2 AND a.lane_id = ANY($3::uuid[]) AND a.state NOT IN ('NOT_SENT', 'REJECTED')
   GROUP BY 1, 2`;

@Injectable()
export class LedgerKeeperRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Batches whose requests may still be under way. */
  async openBatches(account: SendingAccountId): Promise<number> {
    const [row] = await this.uow.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM batch WHERE sending_account_id = $1 AND state = 'OPEN'`,
      [account],
    );
    return row?.open ?? 0;
  }

  /** Recipients that the largest message granted since then can have had: all others of its batch had one at least. */
  async largest(account: SendingAccountId, since: Date): Promise<number> {
    const [row] = await this.uow.query<{ recipients: number }>(
      `SELECT coalesce(max(granted - cardinality(message_ids) + 1), 0)::int AS recipients FROM batch
        WHERE sending_account_id = $1 AND bucket >= $2 AND claimed > 0`,
      [account, since],
    );
    return row?.recipients ?? 0;
  }

  /** Recipients per minute that SES has or may have: an open batch counts with all it claimed. */
  async used(account: SendingAccountId, since: Date): Promise<UsedMinute[]> {
    const rows = await this.uow.query<MinuteRow>(
      `SELECT bucket AS start, sum(claimed)::text AS recipients FROM batch
        WHERE sending_account_id = $1 AND bucket >= $2 GROUP BY bucket HAVING sum(claimed) > 0`,
      [account, since],
    );
    return rows.map(toMinute);
  }

  /** The same per tenant. */
  async usedByTenant(account: SendingAccountId, since: Date): Promise<Map<TenantId, UsedMinute[]>> {
    const rows = await this.uow.query<MinuteRow & { tenantId: TenantId }>(USED_BY_TENANT, [account, since]);
    return new Map([...groupBy(rows, ({ tenantId }) => tenantId)].map(([id, minutes]) => [id, minutes.map(toMinute)]));
  }

  /** The same of one tenant, all together. */
  async usedThere(tenant: TenantId, account: SendingAccountId, since: Date): Promise<number> {
    const [row] = await this.uow.query<{ used: string }>(
      `SELECT coalesce(sum(n_rcpt), 0)::text AS used FROM attempt
        WHERE tenant_id = $1 AND sending_account_id = $2 AND created_at >= $3 AND state NOT IN ('NOT_SENT', 'REJECTED')`,
      [tenant, account, since],
    );
    return Number(row?.used ?? 0);
  }

  /** The same per lane, for lanes that are warmed up: they are few, and what they may send is little. */
  async usedByLane(
    account: SendingAccountId,
    lanes: readonly LaneId[],
    since: Date,
  ): Promise<Map<LaneId, UsedMinute[]>> {
    if (lanes.length === 0) return new Map();
    const rows = await this.uow.query<MinuteRow & { laneId: LaneId }>(USED_BY_LANE, [account, since, lanes]);
    return new Map([...groupBy(rows, ({ laneId }) => laneId)].map(([lane, minutes]) => [lane, minutes.map(toMinute)]));
  }
}

function toMinute(row: MinuteRow): UsedMinute {
  return { startMs: row.start.getTime(), recipients: BigInt(row.recipients) };
}
