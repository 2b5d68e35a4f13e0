import { IDLE, PLATFORM, type Bearer } from './allocation.policy';
import { dividedBy, type FleetLine } from './fleet-line';

/**
 * The same line, its idle part borne by the account's tenants in proportion to their volume; as it was where there is no
 * volume. Exact: every weight is multiplied by the whole volume, and the idle weight handed out in its parts.
 */
export function sharedIdle(line: FleetLine, volume: ReadonlyMap<Bearer, bigint>): FleetLine {
  const { allocations, method, ...rest } = line;
  const idle = allocations.find((one) => one.bearer === IDLE);
  const tenants = [...volume].filter(([bearer, recipients]) => bearer !== PLATFORM && recipients > 0n);
  const whole = tenants.reduce((sum, [, recipients]) => sum + recipients, 0n);
  if (!idle || whole === 0n) return line;
  const weights = new Map<Bearer, bigint>();
  for (const one of allocations) if (one.bearer !== IDLE) weights.set(one.bearer, one.weight * whole);
  // A line that nobody has any weight in is idle as a whole.
  const share = idle.weight === 0n ? 1n : idle.weight;
  for (const [bearer, recipients] of tenants) weights.set(bearer, (weights.get(bearer) ?? 0n) + share * recipients);
  const shared = method === 'by-pool-hours' ? 'by-pool-hours+idle-by-recipients' : 'idle-by-recipients';
  return dividedBy(shared, weights, rest);
}
