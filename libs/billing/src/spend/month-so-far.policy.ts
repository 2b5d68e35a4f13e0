import { divideHalfEven } from '@libs/kernel';
import type { Period, Span } from '../billing-period.policy';
import { sharedMs } from '../billing-period.policy';
import type { SegmentUsage } from '../invoice/invoice-draft.policy';
import type { Days, PriceSegment } from '../price/price-segments.policy';
import { rateMonth, type Charge, type RatedSegment } from '../price/rating.v1.policy';
import type { Day } from '../usage/roll-up.policy';

/** What a tenant used on a day that is not counted yet. */
export interface DayUsage extends SegmentUsage {
  readonly day: Day;
}

export interface Charged {
  readonly charges: readonly Charge[];
  /** Exact sum of the charges, micro-dollars. */
  readonly totalMicro: bigint;
}

/** The segments of a month with what was used in each: what is counted, and the days that are not yet. */
export function segmentsSoFar(
  segments: readonly PriceSegment[],
  days: readonly Days[],
  counted: readonly SegmentUsage[],
  live: readonly DayUsage[],
): RatedSegment[] {
  return segments.map(({ price, planName, from, to }, index) => {
    const range = days[index];
    const own = live.filter(({ day }) => range !== undefined && day >= range.from && day < range.to);
    const used = [...own, ...counted.slice(index, index + 1)];
    return {
      ...price,
      priceId: price.id.toString(),
      planName,
      from,
      to,
      recipients: used.reduce((sum, one) => sum + one.recipients, 0n),
      ipMs: used.reduce((sum, one) => sum + one.ipMs, 0n),
    };
  });
}

/** What the invoice of the month would say if nothing more were used in it: fees and inclusions are those of the whole month. */
export function charged(month: Period, segments: readonly RatedSegment[]): Charged {
  const charges = rateMonth({ from: month.start, to: month.end }, segments);
  return { charges, totalMicro: charges.reduce((sum, charge) => sum + charge.amountMicro, 0n) };
}

/**
 * What would be used by the end of the month: as many recipients in the time that is left as there were on average in the
 * time that has passed since the month began for the tenant, and the IPs of now for as long as it lasts.
 */
export function projected(month: Period, segments: readonly RatedSegment[], ips: bigint, now: Date): RatedSegment[] {
  const begun = segments[0]?.from ?? month.start;
  const passed = sharedMs({ from: begun, to: now }, { from: month.start, to: month.end });
  const used = segments.reduce((sum, segment) => sum + segment.recipients, 0n);
  const rest: Span = { from: now > month.start ? now : month.start, to: month.end };
  return segments.map((segment) => {
    const left = sharedMs(segment, rest);
    const more = passed === 0n || used < 0n ? 0n : divideHalfEven(used * left, passed);
    return { ...segment, recipients: segment.recipients + more, ipMs: segment.ipMs + ips * left };
  });
}
