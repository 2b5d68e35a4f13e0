import type { PlanId, TenantId } from '@libs/kernel';
import type { PriceTerms } from '@libs/plans';
import type { PriceSegment } from '../price/price-segments.policy';
import { rateMonth, type Charge } from '../price/rating.v1.policy';
import type { SegmentUsage } from '../invoice/invoice-draft.policy';

/** A tenant's month: what it used while which price was in force. */
export interface PricedMonth {
  readonly tenantId: TenantId;
  readonly segments: readonly (PriceSegment & SegmentUsage)[];
}

type Month = { readonly from: Date; readonly to: Date };

/** What one tenant would have been charged. Micro-dollars. */
export interface WhatIfRow {
  readonly tenantId: TenantId;
  readonly beforeMicro: bigint;
  readonly afterMicro: bigint;
  readonly costMicro: bigint;
}

export interface WhatIf {
  readonly beforeMicro: bigint;
  readonly afterMicro: bigint;
  readonly costMicro: bigint;
  /** Tenants who would pay more, and less. */
  readonly dearer: bigint;
  readonly cheaper: bigint;
  readonly rows: readonly WhatIfRow[];
}

/**
 * The month again under other terms, usage and time on each plan as they were. Tenants of other plans are left out.
 * @param plan whose tenants it is about; null = everybody's
 * @param costs what each tenant cost
 */
export function whatIf(
  month: Month,
  tenants: readonly PricedMonth[],
  plan: PlanId | null,
  terms: PriceTerms,
  costs: ReadonlyMap<TenantId, bigint>,
): WhatIf {
  const isMeant = (segment: PriceSegment) => plan === null || segment.price.planId === plan;
  const rows = tenants
    .filter(({ segments }) => segments.some(isMeant))
    .map(({ tenantId, segments }) => ({
      tenantId,
      beforeMicro: total(chargesOf(month, segments)),
      afterMicro: total(
        chargesOf(
          month,
          segments.map((segment) =>
            isMeant(segment) ? { ...segment, price: { ...segment.price, ...terms } } : segment,
          ),
        ),
      ),
      costMicro: costs.get(tenantId) ?? 0n,
    }));
  const sum = (field: 'beforeMicro' | 'afterMicro' | 'costMicro') => rows.reduce((all, row) => all + row[field], 0n);
  return {
    beforeMicro: sum('beforeMicro'),
    afterMicro: sum('afterMicro'),
    costMicro: sum('costMicro'),
    dearer: BigInt(rows.filter((row) => row.afterMicro > row.beforeMicro).length),
    cheaper: BigInt(rows.filter((row) => row.afterMicro < row.beforeMicro).length),
    rows,
  };
}

/** The charges of a month, not rounded to cents yet. */
export function chargesOf(month: Month, segments: PricedMonth['segments']): Charge[] {
  return rateMonth(
    month,
    segments.map(({ price, planName, from, to, recipients, ipMs }) => ({
      planId: price.planId,
      planName,
      priceId: price.id.toString(),
      from,
      to,
      baseFeeMicro: price.baseFeeMicro,
      includedRecipients: price.includedRecipients,
      overage: price.overage,
      dedicatedIpFeeMicro: price.dedicatedIpFeeMicro,
      minimumMicro: price.minimumMicro,
      recipients,
      ipMs,
    })),
  );
}

function total(charges: readonly Charge[]): bigint {
  return charges.reduce((sum, charge) => sum + charge.amountMicro, 0n);
}
