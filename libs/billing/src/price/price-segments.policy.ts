import type { PlanId, TenantId } from '@libs/kernel';
import type { PlanPrice } from '@libs/plans';
import { PlanPriceMissing } from '../billing.errors';
import type { Span } from '../billing-period.policy';

/** A plan while a tenant was on it; `to` is null while it still is. */
export interface PlanTerm {
  readonly planId: PlanId;
  readonly planName: string;
  readonly from: Date;
  readonly to: Date | null;
}

/** One version of one plan's price while it was in force for a tenant, within a month. */
export interface PriceSegment extends Span {
  readonly planName: string;
  readonly price: PlanPrice;
}

/** Whole days, UTC, `YYYY-MM-DD`; `to` is the first day that is no longer meant. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/**
 * The month cut wherever the tenant's plan or its price changes, in order.
 * @throws PlanPriceMissing where the tenant had a plan and the plan had no price
 */
export function priceSegments(
  tenant: TenantId,
  month: Span,
  terms: readonly PlanTerm[],
  prices: readonly PlanPrice[],
): PriceSegment[] {
  return terms
    .map((term) => ({ ...term, ...clip({ from: term.from, to: term.to ?? month.to }, month) }))
    .filter((term) => term.from < term.to)
    .sort(byTime)
    .flatMap((term) => {
      const segments = prices
        .filter((price) => price.planId === term.planId)
        .map((price) => ({
          planName: term.planName,
          price,
          ...clip({ from: price.validFrom, to: price.validTo ?? term.to }, term),
        }))
        .filter((segment) => segment.from < segment.to)
        .sort(byTime);
      let covered = term.from;
      for (const segment of segments) {
        if (segment.from > covered) throw new PlanPriceMissing(tenant, term.planName, covered);
        covered = segment.to;
      }
      if (covered < term.to) throw new PlanPriceMissing(tenant, term.planName, covered);
      return segments;
    });
}

/**
 * Which days' usage each segment prices: a day belongs whole to the segment that was in force last on it, so that a day in
 * which nothing but the price changed is not split by guesswork. Days outside of all segments go to the nearest one: late
 * corrections of earlier months are billed at the month's first price.
 */
export function daysOfSegments(segments: readonly Span[]): Days[] {
  return segments.map((segment, index) => {
    const next = segments[index + 1];
    return {
      from: index === 0 ? '0001-01-01' : dayOf(segment.from),
      to: next === undefined ? '9999-12-31' : dayOf(next.from),
    };
  });
}

function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

function clip(span: Span, to: Span): Span {
  return { from: span.from > to.from ? span.from : to.from, to: span.to < to.to ? span.to : to.to };
}

function byTime(a: Span, b: Span) {
  return a.from.getTime() - b.from.getTime();
}
