import type { TenantId } from '@libs/kernel';

/** What nobody used. */
export const IDLE = '__idle__';
/** What the operator caused: extra attempts of one message. */
export const PLATFORM = '__platform__';
/** Who bears a cost. */
export type Bearer = TenantId | typeof IDLE | typeof PLATFORM;

/**
 * Splits an amount in proportion to whole-number weights, by largest remainder: everybody gets the floor of the exact
 * share, and the units left over go one by one to the largest remainders, then by name. The parts add up to the amount
 * exactly, and no part is a whole unit away from the exact share. A negative amount (a credit) is split as its opposite.
 * Without any weight everything is idle.
 * @throws RangeError for a negative weight
 */
export function allocate<Name extends string = Bearer>(
  amount: bigint,
  weights: ReadonlyMap<Name, bigint>,
): Map<Name | typeof IDLE, bigint> {
  if (amount < 0n) return new Map([...allocate(-amount, weights)].map(([bearer, part]) => [bearer, -part]));
  let total = 0n;
  for (const weight of weights.values()) {
    if (weight < 0n) throw new RangeError('a weight is never negative');
    total += weight;
  }
  if (total === 0n) return new Map([[IDLE, amount]]);

  const shares = [...weights]
    .filter(([, weight]) => weight > 0n)
    .map(([bearer, weight]) => ({
      bearer,
      part: (amount * weight) / total,
      remainder: (amount * weight) % total,
    }));
  let left = amount - shares.reduce((sum, share) => sum + share.part, 0n);
  shares.sort((a, b) => descending(a.remainder, b.remainder) || ascending(a.bearer, b.bearer));
  for (const share of shares) {
    if (left === 0n) break;
    share.part += 1n;
    left -= 1n;
  }
  return new Map(shares.map(({ bearer, part }) => [bearer, part]));
}

function descending(a: bigint, b: bigint) {
  return a === b ? 0 : a > b ? -1 : 1;
}

/** By code unit, so that the order is the same under every locale. */
export function ascending(a: string, b: string) {
  return a === b ? 0 : a < b ? -1 : 1;
}
