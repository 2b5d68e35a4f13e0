import { divideHalfEven } from '@libs/kernel';
import type { PriceTerms } from '@libs/plans';

/*
 * What a month costs a tenant (docs/invoices.md). Version 1: invoices that were issued with it are recomputed with it, so it
 * is never changed; another rule is another version beside it.
 */

/** What was used while one version of one plan's price was in force. */
export interface RatedSegment extends Omit<PriceTerms, 'monotone'> {
  /** The version of the price, cited on every line. */
  readonly priceId: string;
  readonly planId: string;
  readonly planName: string;
  readonly from: Date;
  readonly to: Date;
  /** Below zero when late corrections of earlier months outweigh it. */
  readonly recipients: bigint;
  /** Of dedicated IPs of its own. */
  readonly ipMs: bigint;
}

export interface Charge {
  readonly sku: string;
  readonly description: string;
  readonly quantity: bigint;
  readonly unit: 'recipient' | 'millisecond' | 'ip-millisecond' | 'month';
  /** Micro-dollars for so many units; null where there is no unit price. */
  readonly rate: { readonly amountMicro: bigint; readonly perUnits: bigint } | null;
  readonly amountMicro: bigint;
  readonly from: Date;
  readonly to: Date;
  readonly method: string;
  readonly priceIds: readonly string[];
}

/**
 * The charges of a month. Fees, inclusions and minimums count by the share of the month's milliseconds in which they were in
 * force; included recipients and tiers count per plan and month, across versions of its price. Each line is rounded once.
 * @param segments in order of time, none overlapping
 */
export function rateMonth(
  month: { readonly from: Date; readonly to: Date },
  segments: readonly RatedSegment[],
): Charge[] {
  const monthMs = ms(month);
  const plans = [...new Set(segments.map((segment) => segment.planId))];
  return plans.flatMap((plan) => {
    const own = segments.filter((segment) => segment.planId === plan);
    const charges = [
      ...own.flatMap((segment) => baseFee(segment, monthMs)),
      ...recipients(own, monthMs),
      ...own.flatMap((segment) => dedicatedIps(segment, monthMs)),
    ];
    return [...charges, ...shortOfMinimum(own, charges, monthMs)];
  });
}

function baseFee(segment: RatedSegment, monthMs: bigint): Charge[] {
  if (segment.baseFeeMicro === 0n) return [];
  const quantity = ms(segment);
  return [
    {
      sku: 'plan.base_fee',
      description: `${segment.planName}: base fee`,
      quantity,
      unit: 'millisecond',
      rate: { amountMicro: segment.baseFeeMicro, perUnits: monthMs },
      amountMicro: divideHalfEven(segment.baseFeeMicro * quantity, monthMs),
      ...cited(segment, 'base-fee/by-time@1'),
    },
  ];
}

/** Recipients use up what is included first, in order of time; those above it climb the tiers of the price in force then. */
function recipients(segments: readonly RatedSegment[], monthMs: bigint): Charge[] {
  const [first] = segments;
  if (!first) return [];
  const share = segments.reduce((sum, segment) => sum + segment.includedRecipients * ms(segment), 0n);
  // A part of a recipient is given whole.
  const included = (share + monthMs - 1n) / monthMs;
  let used = 0n;
  const above: Charge[] = [];
  for (const segment of segments) {
    const before = positive(used - included);
    used += segment.recipients;
    above.push(...overage(segment, before, positive(used - included) - before));
  }
  const free = smaller(positive(used), included);
  if (free === 0n) return above;
  const inclusion: Charge = {
    sku: 'plan.included_recipients',
    description: `${first.planName}: recipients included`,
    quantity: free,
    unit: 'recipient',
    rate: { amountMicro: 0n, perUnits: 1n },
    amountMicro: 0n,
    ...cited(first, 'included/by-plan-month@1', segments),
  };
  return [inclusion, ...above];
}

/** The next `quantity` recipients after `before` that were above the inclusion: one line for each tier. */
function overage(segment: RatedSegment, before: bigint, quantity: bigint): Charge[] {
  if (quantity <= 0n) return [];
  const tiers = segment.overage.length > 0 ? segment.overage : [{ from: 0n, amountMicro: 0n, perUnits: 1n }];
  return tiers.flatMap((tier, index): Charge[] => {
    const end = tiers[index + 1]?.from ?? before + quantity;
    const within = smaller(end, before + quantity) - larger(tier.from, before);
    if (within <= 0n) return [];
    const above = tier.from === 0n ? '' : ` above ${grouped(tier.from)}`;
    return [
      {
        sku: 'plan.recipients',
        description: `${segment.planName}: recipients${above}`,
        quantity: within,
        unit: 'recipient',
        rate: { amountMicro: tier.amountMicro, perUnits: tier.perUnits },
        amountMicro: divideHalfEven(within * tier.amountMicro, tier.perUnits),
        ...cited(segment, 'overage/marginal@1'),
      },
    ];
  });
}

function dedicatedIps(segment: RatedSegment, monthMs: bigint): Charge[] {
  if (segment.ipMs === 0n) return [];
  return [
    {
      sku: 'plan.dedicated_ip',
      description: `${segment.planName}: dedicated IPs`,
      quantity: segment.ipMs,
      unit: 'ip-millisecond',
      rate: { amountMicro: segment.dedicatedIpFeeMicro, perUnits: monthMs },
      amountMicro: divideHalfEven(segment.ipMs * segment.dedicatedIpFeeMicro, monthMs),
      ...cited(segment, 'dedicated-ip/by-time@1'),
    },
  ];
}

function shortOfMinimum(segments: readonly RatedSegment[], charges: readonly Charge[], monthMs: bigint): Charge[] {
  const [first] = segments;
  if (!first) return [];
  const share = segments.reduce((sum, segment) => sum + segment.minimumMicro * ms(segment), 0n);
  const missing = divideHalfEven(share, monthMs) - charges.reduce((sum, charge) => sum + charge.amountMicro, 0n);
  if (share === 0n || missing <= 0n) return [];
  return [
    {
      sku: 'plan.minimum',
      description: `${first.planName}: up to the monthly minimum`,
      quantity: 1n,
      unit: 'month',
      rate: null,
      amountMicro: missing,
      ...cited(first, 'minimum/by-plan-month@1', segments),
    },
  ];
}

function cited(
  segment: RatedSegment,
  method: string,
  all: readonly RatedSegment[] = [segment],
): Pick<Charge, 'method' | 'priceIds' | 'from' | 'to'> {
  return {
    method,
    priceIds: [...new Set(all.map((one) => one.priceId))],
    from: segment.from,
    to: all.at(-1)?.to ?? segment.to,
  };
}

function ms(span: { readonly from: Date; readonly to: Date }): bigint {
  return BigInt(span.to.getTime()) - BigInt(span.from.getTime());
}

/** 1000000 is 1,000,000. */
function grouped(count: bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

function positive(count: bigint) {
  return count > 0n ? count : 0n;
}

function larger(a: bigint, b: bigint) {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint) {
  return a < b ? a : b;
}
