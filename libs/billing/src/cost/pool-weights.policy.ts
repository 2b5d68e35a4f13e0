import { IDLE, type Bearer } from './allocation.policy';
import { sharedMs, type Span } from '../billing-period.policy';

/** Recipients of one bearer through a pool within one hour. */
export interface HourOfUse {
  readonly bearer: Bearer;
  /** The first moment of the hour, UTC. */
  readonly hour: Date;
  readonly recipients: bigint;
}

const HOUR_MS = 3_600_000;

/**
 * Who bears the IP-hours of a shared pool: each hour is borne by those who sent through the pool in it, in proportion to
 * their recipients; an hour in which nobody did is idle. Exact: the shares of all hours are brought to one denominator,
 * so that the weights are whole numbers and one rounding at the end is enough.
 * @param leases when each of the pool's IPs was leased, within the line's span
 */
export function sharedPoolWeights(leases: readonly Span[], use: readonly HourOfUse[]): Map<Bearer, bigint> {
  const leased = leases.reduce((sum, lease) => sum + sharedMs(lease, lease), 0n);
  const hours = new Map<string, { leasedMs: bigint; total: bigint; use: HourOfUse[] }>();
  for (const one of use) {
    const name = one.hour.toISOString();
    const known = hours.get(name);
    if (known) {
      known.total += one.recipients;
      known.use.push(one);
      continue;
    }
    const span = { from: one.hour, to: new Date(one.hour.getTime() + HOUR_MS) };
    const leasedMs = leases.reduce((sum, lease) => sum + sharedMs(lease, span), 0n);
    hours.set(name, { leasedMs, total: one.recipients, use: [one] });
  }

  const used = [...hours.values()].filter((hour) => hour.leasedMs > 0n && hour.total > 0n);
  const common = used.reduce((multiple, hour) => leastCommonMultiple(multiple, hour.total), 1n);
  const weights = new Map<Bearer, bigint>();
  const give = (bearer: Bearer, weight: bigint) => {
    if (weight > 0n) weights.set(bearer, (weights.get(bearer) ?? 0n) + weight);
  };
  let usedMs = 0n;
  for (const hour of used) {
    usedMs += hour.leasedMs;
    for (const one of hour.use) give(one.bearer, hour.leasedMs * one.recipients * (common / hour.total));
  }
  give(IDLE, (leased - usedMs) * common);
  return weights;
}

function leastCommonMultiple(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y > 0n) [x, y] = [y, x % y];
  return (a / x) * b;
}
