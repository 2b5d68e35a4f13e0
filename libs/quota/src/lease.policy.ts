import type { Fraction } from './pacing.policy';

/** A tenant on one of its accounts. */
export interface Demand {
  /** Recipients it used there in the last 24 h. */
  readonly used: number;
  /** Recipients that wait for it there. */
  readonly waiting: number;
  /** Recipients of the message that comes next there: a part that is smaller sends nothing, since a message goes whole. */
  readonly next: number;
}

/**
 * Divides a tenant's cap over its accounts: everybody keeps what it used, then gets room for its next message as long as there
 * is any, who has used least first, and what is left goes where mail waits. The parts are never more than the cap together, unless
 * more than that was used already; then nobody has room.
 */
export function divideCap(cap: number, accounts: readonly Demand[]): number[] {
  let left = Math.max(0, cap - accounts.reduce((sum, { used }) => sum + used, 0));
  const parts = accounts.map(({ used }) => used);
  const byUse = [...accounts.entries()].sort(([, a], [, b]) => a.used - b.used);
  for (const [i, { used, next }] of byUse) {
    // One that does not fit leaves its room to the others: for it the whole cap has to free first.
    if (next > left) continue;
    parts[i] = used + next;
    left -= next;
  }
  const weights = weightsOf(accounts);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => Math.floor((left * weight) / all));
  // What rounding left over goes to the first, one each.
  const rest = left - shares.reduce((sum, share) => sum + share, 0);
  return parts.map((part, i) => part + (shares[i] ?? 0) + (i < rest ? 1 : 0));
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
