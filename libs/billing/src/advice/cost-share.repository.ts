import { UnitOfWork } from '@libs/database';
import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { IDLE, PLATFORM } from '../cost/allocation.policy';
import type { CostShare } from './cost-share';

interface ShareRow {
  bearer: 'TENANT' | 'IDLE' | 'PLATFORM';
  tenant_id: TenantId | null;
  sending_account_id: SendingAccountId | null;
  lane_id: LaneId | null;
  sku: string;
  source: CostShare['source'];
  charge_category: string;
  is_correction: boolean;
  reason: string | null;
  method_id: string;
  rate_ids: string[];
  quantity: string;
  amount_micro: string;
}

const STORED = `
  SELECT share.bearer, share.tenant_id, line.sending_account_id, line.lane_id, line.sku, line.source, line.charge_category,
         line.charge_class IS NOT NULL AS is_correction, line.reason, line.method_id, line.rate_ids::text[] AS rate_ids,
         trunc(sum(share.quantity))::text AS quantity, sum(share.amount_micro)::text AS amount_micro
    FROM fleet_line line JOIN allocation share ON share.fleet_line_id = line.id
   WHERE line.period = $1
   GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, line.rate_ids`;

/** The fleet's cost as it is stored, by who bears it. */
@Injectable()
export class CostShareRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** @param period `YYYY-MM` */
  async stored(period: string): Promise<CostShare[]> {
    const rows = await this.uow.query<ShareRow>(STORED, [period]);
    return rows.map((row) => ({
      bearer: row.tenant_id ?? (row.bearer === 'IDLE' ? IDLE : PLATFORM),
      sendingAccountId: row.sending_account_id,
      laneId: row.lane_id,
      sku: row.sku,
      source: row.source,
      category: row.charge_category,
      isCorrection: row.is_correction,
      reason: row.reason,
      method: row.method_id,
      rateIds: row.rate_ids,
      quantity: BigInt(row.quantity),
      costMicro: BigInt(row.amount_micro),
    }));
  }
}
