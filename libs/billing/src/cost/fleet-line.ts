import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import type { Span } from '../billing-period.policy';
import type { PricingPlan, Sku, StoredRate } from '../rates/rate-card.policy';
import { allocate, ascending, type Bearer } from './allocation.policy';

/** How a line is divided; stored with it, so that it can be divided again. */
export type Method =
  | 'by-recipients'
  | 'by-bytes'
  | 'by-deliveries'
  | 'by-pool-hours'
  | 'pool-owner'
  | 'idle'
  | 'even'
  | 'platform'
  | 'by-pool-hours+idle-by-recipients'
  | 'idle-by-recipients';

export interface Allocation {
  readonly bearer: Bearer;
  readonly weight: bigint;
  readonly quantity: bigint;
  readonly costMicro: bigint;
}

/** One line of what AWS charges, and who bears it. */
export interface FleetLine {
  readonly sendingAccountId: SendingAccountId;
  /** The pool, for dedicated IPs in one. */
  readonly laneId: LaneId | null;
  readonly pricingPlan: PricingPlan;
  readonly sku: Sku;
  /** Lies before the period where usage of an earlier, final month came to light in this one. */
  readonly span: Span;
  /** Negative where usage of an earlier, final month turned out to be less. */
  readonly quantity: bigint;
  readonly unit: 'recipient' | 'ip-millisecond' | 'month' | 'byte' | 'publish' | 'delivery';
  readonly costMicro: bigint;
  /** The stored rates it was priced with, and where their figures come from. */
  readonly rateIds: readonly bigint[];
  readonly source: string;
  readonly method: Method;
  readonly allocations: readonly Allocation[];
}

/** Quantity and cost are split by the same weights, so that what is allocated of either is what there was. */
export function dividedBy(
  method: Method,
  weights: ReadonlyMap<Bearer, bigint>,
  line: Omit<FleetLine, 'allocations' | 'method'>,
): FleetLine {
  const quantities = allocate(line.quantity, weights);
  const costs = allocate(line.costMicro, weights);
  const allocations = [...costs]
    .map(([bearer, costMicro]) => ({
      bearer,
      weight: weights.get(bearer) ?? 0n,
      quantity: quantities.get(bearer) ?? 0n,
      costMicro,
    }))
    .sort((a, b) => ascending(a.bearer, b.bearer));
  return { ...line, method, allocations };
}

export function citing(rates: readonly StoredRate[]): Pick<FleetLine, 'rateIds' | 'source'> {
  return { rateIds: rates.map((rate) => rate.id), source: rates.map((rate) => rate.source).join('; ') };
}

export function total(amounts: Iterable<bigint>): bigint {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum;
}

/** A part of one line, seen by the tenant who bears it. */
export interface TenantCostLine extends Omit<FleetLine, 'allocations'> {
  readonly allocatedOf: { readonly quantity: bigint; readonly costMicro: bigint };
}

export interface TenantCost {
  readonly tenantId: TenantId;
  readonly costMicro: bigint;
  readonly recipients: bigint;
  /** Its part of each fleet line; `allocatedOf` is the whole. */
  readonly lines: readonly TenantCostLine[];
}
