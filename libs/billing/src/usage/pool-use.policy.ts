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

/** An hour of a shared pool: how long its IPs were leased in it, and who sent how much through it. */
export interface PoolHour {
  readonly laneId: LaneId;
  /** Its beginning. */
  readonly at: Date;
  /** Milliseconds of all its IPs together. */
  readonly ms: bigint;
  readonly recipients: ReadonlyMap<Bearer, bigint>;
}

/** @param rows what was counted, whole hours of it */
export function poolHours(rows: readonly UsageRow[]): PoolHour[] {
  const hours = new Map<string, PoolHour & { ms: bigint; readonly recipients: Map<Bearer, bigint> }>();
  for (const { laneId, tenantId, span, sku, quantity } of rows) {
    const isTime = sku === COUNTED.dedicatedIp && tenantId === null;
    if (laneId === null || (!isTime && sku !== COUNTED.poolRecipient)) continue;
    const name = `${laneId} ${span.from.getTime()}`;
    const hour = hours.get(name) ?? { laneId, at: span.from, ms: 0n, recipients: new Map<Bearer, bigint>() };
    hours.set(name, hour);
    if (isTime) hour.ms += quantity;
    else add(hour.recipients, tenantId ?? PLATFORM, quantity);
  }
  return [...hours.values()];
}

/**
 * Each hour of a shared pool is borne by those who sent through it in that hour, in proportion to their recipients, to a
 * billionth of a millisecond; an hour in which nobody did belongs to nobody. Whole numbers of one size, however many
 * hours and tenants there are: a common denominator of a month's hours would have thousands of digits.
 *
 * A month is told some hours at a time, and what is kept of it does not grow with hours.
 */
export class PoolUses {
  private readonly parts;

  /** @param spans the month, cut where prices change */
  constructor(spans: readonly Span[]) {
    this.parts = spans.map((span) => ({ span, pools: new Map<LaneId, Map<Bearer, bigint>>() }));
  }

  /** @param hours none of them was told before */
  add(hours: readonly PoolHour[]): this {
    for (const { laneId, at, ms, recipients } of hours) {
      const part = this.parts.find(({ span }) => at >= span.from && at < span.to);
      if (!part || ms <= 0n || recipients.size === 0) continue;
      const used = part.pools.get(laneId) ?? new Map<Bearer, bigint>();
      part.pools.set(laneId, used);
      for (const [bearer, time] of allocate(ms * PARTS, recipients)) add(used, bearer, time);
    }
    return this;
  }

  all(): PoolUse[] {
    return this.parts.flatMap(({ span, pools }) => [...pools].map(([laneId, used]) => ({ laneId, span, used })));
  }
}

function add(sums: Map<Bearer, bigint>, bearer: Bearer, amount: bigint): void {
  sums.set(bearer, (sums.get(bearer) ?? 0n) + amount);
}
