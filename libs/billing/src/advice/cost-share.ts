import type { LaneId, SendingAccountId } from '@libs/kernel';
import type { Bearer } from '../cost/allocation.policy';
import type { FleetLine } from '../cost/fleet-line';

/** What one bearer bears of lines of the fleet's cost that are alike. */
export interface CostShare {
  readonly bearer: Bearer;
  /** Null for what AWS charges an account as a whole, or one that is not of the fleet's regions. */
  readonly sendingAccountId: SendingAccountId | null;
  readonly laneId: LaneId | null;
  readonly sku: string;
  readonly source: 'PROVISIONAL' | 'CUR' | 'CORRECTION';
  /** Usage, Purchase, Tax, Credit or Adjustment, as FOCUS has them. */
  readonly category: string;
  /** It is about an earlier month. */
  readonly isCorrection: boolean;
  /** Why AWS's bill says so; null for our own reckoning. */
  readonly reason: string | null;
  readonly method: string;
  readonly rateIds: readonly string[];
  readonly quantity: bigint;
  readonly costMicro: bigint;
}

/** Lines as they are computed, before any of them is stored. */
export function sharesOf(lines: readonly FleetLine[]): CostShare[] {
  return lines.flatMap((line) =>
    line.allocations.map(({ bearer, quantity, costMicro }) => ({
      bearer,
      sendingAccountId: line.sendingAccountId,
      laneId: line.laneId,
      sku: line.sku,
      source: 'PROVISIONAL' as const,
      category: line.unit === 'month' ? 'Purchase' : 'Usage',
      isCorrection: false,
      reason: null,
      method: line.method,
      rateIds: line.rateIds.map(String),
      quantity,
      costMicro,
    })),
  );
}
