/**
 * What AWS lists, in ten-billionths of a dollar: as many decimals as its reports have. Written down here a second time, so
 * that a mistake in the product's rate card does not confirm itself (aws-facts 6).
 */
export const DOLLAR = 10_000_000_000n;

export type PricingPlan = 'NONE' | 'ESSENTIALS' | 'PRO' | 'ENTERPRISE';

/** A price from that many recipients of a month on, each. */
interface Tier {
  readonly from: bigint;
  readonly each: bigint;
}

const tiers = (first: bigint, second: bigint, third: bigint): readonly Tier[] => [
  { from: 0n, each: first },
  { from: 10_000_000n, each: second },
  { from: 100_000_000n, each: third },
];

export const RECIPIENT: Readonly<Record<PricingPlan, readonly Tier[]>> = {
  NONE: [{ from: 0n, each: 1_000_000n }],
  ESSENTIALS: tiers(1_600_000n, 1_400_000n, 1_100_000n),
  PRO: tiers(2_200_000n, 1_700_000n, 1_200_000n),
  ENTERPRISE: tiers(2_300_000n, 1_800_000n, 1_300_000n),
};
export const PLAN_FEE: Readonly<Record<PricingPlan, bigint>> = {
  NONE: 0n,
  ESSENTIALS: 0n,
  PRO: 105n * DOLLAR,
  ENTERPRISE: 500n * DOLLAR,
};
/** $24.95 for a dedicated IP and month. */
export const DEDICATED_IP_MONTH = 249_500_000_000n;
/** $0.12 for 2^30 bytes of attachments. */
export const ATTACHMENT_GIB = 1_200_000_000n;
/** $0.50 and $0.60 a million. */
export const SNS_PUBLISH = 5_000n;
export const SNS_HTTP_DELIVERY = 6_000n;

/** The next units of a month, of which `before` are used, at marginal tiers. */
export function atTiers(list: readonly Tier[], before: bigint, units: bigint): bigint {
  let cost = 0n;
  list.forEach(({ from, each }, index) => {
    const end = list[index + 1]?.from ?? before + units;
    const first = before > from ? before : from;
    const last = before + units < end ? before + units : end;
    if (last > first) cost += (last - first) * each;
  });
  return cost;
}
