import { UnitOfWork } from '@libs/database';
import type { MessageId, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { parseRate, type QueuedMessage, type TenantLimits } from '@libs/quota';
import { Injectable } from '@nestjs/common';

export interface HungryTenant {
  readonly tenantId: TenantId;
  readonly paused: boolean;
  /** It is placed elsewhere by now: what stands here came back after its backlog had moved. */
  readonly displaced: boolean;
  readonly limits: TenantLimits;
}

interface TenantRow {
  readonly tenantId: TenantId;
  readonly paused: boolean;
  readonly displaced: boolean;
  readonly weight: number;
  readonly dayCap: string | null;
  readonly rate: string | null;
}

// A jump from tenant to tenant along the index of READY rows: its cost is the number of tenants, not of messages.
const TENANTS = `
  WITH RECURSIVE waiting AS (
    (SELECT tenant_id FROM message WHERE sending_account_id = $1 AND stream = $2 AND state = 'READY' ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT m.tenant_id FROM message m
             WHERE m.sending_account_id = $1 AND m.stream = $2 AND m.state = 'READY' AND m.tenant_id > w.tenant_id
             ORDER BY m.tenant_id LIMIT 1)
      FROM waiting w WHERE w.tenant_id IS NOT NULL
  )
  SELECT t.id AS "tenantId", p.weight, p.recipients_per_day::text AS "dayCap",
         trim_scale(p.recipients_per_second)::text AS rate, t.state = 'PAUSED' AS paused,
         EXISTS (SELECT FROM placement c WHERE c.tenant_id = t.id AND c.mode = a.mode AND c.stream = $2 AND c.valid_to IS NULL)
           AND NOT EXISTS (SELECT FROM placement c WHERE c.tenant_id = t.id AND c.mode = a.mode AND c.stream = $2
                            AND c.sending_account_id = a.id AND c.valid_to IS NULL) AS displaced
    FROM waiting w JOIN tenant t ON t.id = w.tenant_id JOIN plan p ON p.id = t.plan_id
    JOIN sending_account a ON a.id = $1`;

// From the oldest on, every time: no cursor can jump over a row that commits late, and the ledger leaves out what it has.
const READY = `
  SELECT id, n_rcpt AS recipients FROM message
   WHERE sending_account_id = $1 AND stream = $2 AND tenant_id = $3 AND state = 'READY'
     AND created_at <= $4 AND (not_before IS NULL OR not_before <= $5) AND expires_at > $5
   ORDER BY id LIMIT $6`;

@Injectable()
export class FeederRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Tenants with READY messages on the account, and their limits. */
  async tenants(account: SendingAccountId, stream: Stream): Promise<HungryTenant[]> {
    const rows = await this.uow.query<TenantRow>(TENANTS, [account, stream]);
    return rows.map(({ tenantId, paused, displaced, weight, dayCap, rate }) => ({
      tenantId,
      paused,
      displaced,
      limits: {
        weight,
        dayCap: dayCap === null ? null : BigInt(dayCap),
        rate: rate === null ? null : parseRate(rate),
      },
    }));
  }

  /** @param acceptedBefore leaves out what the api has only just offered itself */
  ready(
    account: SendingAccountId,
    stream: Stream,
    tenant: TenantId,
    acceptedBefore: Date,
    now: Date,
    limit: number,
  ): Promise<(QueuedMessage & { id: MessageId })[]> {
    return this.uow.query(READY, [account, stream, tenant, acceptedBefore, now, limit]);
  }
}
