import { UnitOfWork } from '@libs/database';
import type { SendingAccountId, TenantId } from '@libs/kernel';
import type { UsedMinute } from '@libs/quota';
import { Injectable } from '@nestjs/common';

interface MinuteRow {
  readonly start: Date;
  readonly recipients: string;
}

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

  /** Recipients per minute that SES has or may have: an open batch counts with all it claimed. */
  async used(account: SendingAccountId, since: Date): Promise<UsedMinute[]> {
    const rows = await this.uow.query<MinuteRow>(
      `SELECT bucket AS start, sum(claimed)::text AS recipients FROM batch
        WHERE sending_account_id = $1 AND bucket >= $2 GROUP BY bucket HAVING sum(claimed) > 0`,
      [account, since],
    );
    return rows.map(toMinute);
  }

  /** The same per tenant, for tenants whose plan has a daily cap. */
  async usedByTenant(account: SendingAccountId, since: Date): Promise<Map<TenantId, UsedMinute[]>> {
    const rows = await this.uow.query<MinuteRow & { tenantId: TenantId }>(
      `SELECT a.tenant_id AS "tenantId", b.bucket AS start, sum(a.n_rcpt)::text AS recipients
         FROM batch b JOIN attempt a ON a.batch_id = b.id
         JOIN tenant t ON t.id = a.tenant_id JOIN plan p ON p.id = t.plan_id
        WHERE b.sending_account_id = $1 AND b.bucket >= $2 AND a.state <> 'NOT_SENT' AND p.recipients_per_day IS NOT NULL
        GROUP BY a.tenant_id, b.bucket`,
      [account, since],
    );
    const tenants = new Map<TenantId, UsedMinute[]>();
    for (const row of rows) tenants.set(row.tenantId, [...(tenants.get(row.tenantId) ?? []), toMinute(row)]);
    return tenants;
  }
}

function toMinute(row: MinuteRow): UsedMinute {
  return { startMs: row.start.getTime(), recipients: BigInt(row.recipients) };
}
