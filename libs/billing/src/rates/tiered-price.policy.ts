import { divideHalfEven } from '@libs/kernel';
import type { CardRate } from './rate-card.policy';

/** An exact amount of micro-dollars, not rounded yet. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export interface TieredPrice<Rate extends CardRate> {
  /** Rounded once, half to even. */
  readonly costMicro: bigint;
  readonly exact: Fraction;
  /** The rates that had a part in it; the first one when there was nothing to price. */
  readonly cited: readonly Rate[];
}

/**
 * The price of the next `quantity` units of a month of which `before` are used already. Tiers are marginal: each unit
 * costs what its own tier says. Multiplied first and divided once.
 * @param tiers lowest first, the first from unit 0
 */
export function tieredPrice<Rate extends CardRate>(
  before: bigint,
  quantity: bigint,
  tiers: readonly [Rate, ...Rate[]],
): TieredPrice<Rate> {
  let exact: Fraction = { numerator: 0n, denominator: 1n };
  const cited: Rate[] = [];
  tiers.forEach((tier, index) => {
    const from = larger(before, tier.tierFrom);
    const end = tiers[index + 1]?.tierFrom;
    const to = end === undefined ? before + quantity : smaller(before + quantity, end);
    if (to <= from) return;
    cited.push(tier);
    exact = add(exact, { numerator: (to - from) * tier.amountMicro, denominator: tier.perUnits });
  });
  return {
    costMicro: divideHalfEven(exact.numerator, exact.denominator),
    exact,
    cited: cited.length > 0 ? cited : [tiers[0]],
  };
}

export function add(a: Fraction, b: Fraction): Fraction {
  if (a.denominator === b.denominator) return { numerator: a.numerator + b.numerator, denominator: a.denominator };
  return {
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  };
}

function larger(a: bigint, b: bigint) {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint) {
  return a < b ? a : b;
}
