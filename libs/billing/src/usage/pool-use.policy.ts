import type { LaneId } from '@libs/kernel';
import { allocate, PLATFORM, type Bearer } from '../cost/allocation.policy';
import type { Span } from '../billing-period.policy';
import { COUNTED, type UsageRow } from './usage';

/** Parts of a millisecond in which the time of a shared pool is given to those who used it. */
export const PARTS = 1_000_000_000n;

/** Who used a shared pool in a time in which no price changes: billionths of a millisecond of its IPs. The rest was idle. */
export interface PoolUse {
  readonly laneId: LaneId;
  readonly span: Span;
  readonly used: ReadonlyMap<Bearer, bigint>;
}

/**
 * Each hour of a shared pool is borne by those who sent through it in that hour, in proportion to their recipients, to a
 * billionth of a millisecond; an hour in which nobody did belongs to nobody. Whole numbers of one size, however many
 * hours and tenants there are: a common denominator of a month's hours would have thousands of digits.
 * @param rows the leased time and the recipients of the pools; each hour as a whole
 */
export function poolUse(span: Span, rows: readonly UsageRow[]): PoolUse[] {
  const pools = new Map<LaneId, Map<bigint, PoolHour>>();
  for (const row of rows) {
    if (row.laneId === null || row.span.from < span.from || row.span.from >= span.to) continue;
    const isTime = row.sku === COUNTED.dedicatedIp && row.tenantId === null;
    if (!isTime && row.sku !== COUNTED.poolRecipient) continue;
    const hour = hourOf(pools, row.laneId, BigInt(row.span.from.getTime()));
    if (isTime) hour.ms += row.quantity;
    else add(hour.recipients, row.tenantId ?? PLATFORM, row.quantity);
  }
  return [...pools].map(([laneId, hours]) => ({ laneId, span, used: usedTime(hours.values()) }));
}

/**
 * The same for a whole month, which is told some days at a time: what is kept grows with tenants and pools, and not with hours.
 */
export class PoolUses {
  private readonly parts;

  /** @param spans the month, cut where prices change */
  constructor(spans: readonly Span[]) {
    this.parts = spans.map((span) => ({ span, pools: new Map<LaneId, Map<Bearer, bigint>>() }));
  }

  /** @param rows no hour of them was told before */
  add(rows: readonly UsageRow[]): void {
    for (const { span, pools } of this.parts) {
      for (const { laneId, used } of poolUse(span, rows)) {
        const sums = pools.get(laneId) ?? new Map<Bearer, bigint>();
        pools.set(laneId, sums);
        for (const [bearer, time] of used) add(sums, bearer, time);
      }
    }
  }

  all(): PoolUse[] {
    return this.parts.flatMap(({ span, pools }) => [...pools].map(([laneId, used]) => ({ laneId, span, used })));
  }
}

interface PoolHour {
  ms: bigint;
  readonly recipients: Map<Bearer, bigint>;
}

function hourOf(pools: Map<LaneId, Map<bigint, PoolHour>>, lane: LaneId, at: bigint): PoolHour {
  const hours = pools.get(lane) ?? new Map<bigint, PoolHour>();
  pools.set(lane, hours);
  const hour = hours.get(at) ?? { ms: 0n, recipients: new Map<Bearer, bigint>() };
  hours.set(at, hour);
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
