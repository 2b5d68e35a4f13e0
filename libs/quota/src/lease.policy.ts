import type { Fraction } from './pacing.policy';

/** A tenant on one of its accounts. */
export interface Demand {
  /** Recipients it used there in the last 24 h. */
  readonly used: number;
  /** Recipients that wait for it there. */
  readonly waiting: number;
}

/**
 * Divides a tenant's cap over its accounts: everybody keeps what it used, and what is left goes where mail waits. The parts
 * are never more than the cap together, unless more than that was used already; then nobody has room.
 */
export function divideCap(cap: number, accounts: readonly Demand[]): number[] {
  const left = Math.max(0, cap - accounts.reduce((sum, { used }) => sum + used, 0));
  const weights = weightsOf(accounts);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const parts = weights.map((weight) => Math.floor((left * weight) / all));
  // What rounding left over goes to the first, one each.
  let rest = left - parts.reduce((sum, part) => sum + part, 0);
  return accounts.map(({ used }, i) => {
    const extra = rest > 0 ? 1 : 0;
    rest -= extra;
    return used + (parts[i] ?? 0) + extra;
  });
}

/** The same for its rate: the parts are the whole exactly. */
export function divideRate(rate: Fraction, accounts: readonly Demand[]): Fraction[] {
  const weights = weightsOf(accounts);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => ({ num: rate.num * weight, den: rate.den * all }));
}

/** At least one each: an account that mail has only just been routed to must be able to begin. */
function weightsOf(accounts: readonly Demand[]): number[] {
  return accounts.map(({ waiting }) => Math.max(0, Math.floor(waiting)) + 1);
}
