import type { LaneId } from '@libs/kernel';
import { allocate, PLATFORM, type Bearer } from '../cost/allocation.policy';
import type { Span } from '../billing-period.policy';
import { COUNTED, type UsageRow } from './usage';

/** Parts of a millisecond in which the time of a shared pool is given to those who used it. */
export const PARTS = 1_000_000_000n;

/** Who used a shared pool in a day, hour by hour: billionths of a millisecond of its IPs. The rest was idle. */
export interface PoolDay {
  readonly laneId: LaneId;
  readonly span: Span;
  readonly used: ReadonlyMap<Bearer, bigint>;
}

/**
 * Each hour of a shared pool is borne by those who sent through it in that hour, in proportion to their recipients, to a
 * billionth of a millisecond; an hour in which nobody did belongs to nobody. Whole numbers of one size, however many
 * hours and tenants there are: a common denominator of a month's hours would have thousands of digits.
 * @param rows the leased time and the recipients of the pools in one day
 */
export function poolDays(day: Span, rows: readonly UsageRow[]): PoolDay[] {
  const pools = new Map<LaneId, Map<string, PoolHour>>();
  for (const row of rows) {
    if (row.laneId === null || row.span.from < day.from || row.span.from >= day.to) continue;
    const isTime = row.sku === COUNTED.dedicatedIp && row.tenantId === null;
    if (!isTime && row.sku !== COUNTED.poolRecipient) continue;
    const hour = hourOf(pools, row.laneId, row.span.from.toISOString());
    if (isTime) hour.ms += row.quantity;
    else add(hour.recipients, row.tenantId ?? PLATFORM, row.quantity);
  }
  return [...pools].map(([laneId, hours]) => ({ laneId, span: day, used: usedTime(hours.values()) }));
}

interface PoolHour {
  ms: bigint;
  readonly recipients: Map<Bearer, bigint>;
}

function hourOf(pools: Map<LaneId, Map<string, PoolHour>>, lane: LaneId, name: string): PoolHour {
  const hours = pools.get(lane) ?? new Map<string, PoolHour>();
  pools.set(lane, hours);
  const hour = hours.get(name) ?? { ms: 0n, recipients: new Map<Bearer, bigint>() };
  hours.set(name, hour);
  return hour;
}

function usedTime(hours: Iterable<PoolHour>): Map<Bearer, bigint> {
  const used = new Map<Bearer, bigint>();
  for (const { ms, recipients } of hours) {
    if (ms <= 0n || recipients.size === 0) continue;
    for (const [bearer, part] of allocate(ms * PARTS, recipients)) add(used, bearer, part);
  }
  return used;
}

function add(sums: Map<Bearer, bigint>, bearer: Bearer, amount: bigint): void {
  sums.set(bearer, (sums.get(bearer) ?? 0n) + amount);
}
