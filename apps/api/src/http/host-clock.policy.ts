import { CLOCK_TOLERANCE_MS } from '@libs/quota';

/**
 * What is wrong with this host's clock, when neither PostgreSQL nor Redis agrees with it, as nearly as a ledger wants clocks to: mail
 * would be accepted for other times than its customers mean, and could be over at once. Undefined while one of them agrees: then it is
 * the other's that is wrong.
 */
export function hostClockProblem(hostMs: number, storesMs: readonly number[]): string | undefined {
  const ahead = storesMs.map((ms) => hostMs - ms);
  const [nearest] = ahead.sort((a, b) => Math.abs(a) - Math.abs(b));
  if (nearest === undefined || Math.abs(nearest) <= CLOCK_TOLERANCE_MS) return undefined;
  const seconds = String(Math.round(Math.abs(nearest) / 1_000));
  return `${seconds} s ${nearest > 0 ? 'ahead of' : 'behind'} those of PostgreSQL and Redis: set it by NTP`;
}
