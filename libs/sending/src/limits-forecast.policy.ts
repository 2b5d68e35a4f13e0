import { smallerCap } from './day-cap.policy';
import { isHeldByOthers, leftWithThe, type OtherTenant } from './fair-share.policy';
import type { Limit } from './wait.policy';

/** What a volume would meet. Recipients, recipients per second, engine milliseconds. */
export interface ForecastFacts {
  readonly recipients: bigint;
  readonly startMs: number;
  readonly nowMs: number;
  /** Recipients of the tenant that wait already and would go first, at the start at the latest. */
  readonly waiting: bigint;
  /**
   * What the tenant may send on the day of the start and on those after it: its plan's cap, or a ramp that grows while it
   * is used. The last one stands for all later days. Empty = no limit of the tenant's.
   */
  readonly dayCaps: readonly bigint[];
  readonly dayLimit: 'PLAN_QUOTA' | 'RAMP';
  readonly tenantUsed: bigint;
  readonly planRate: number | null;
  readonly capacity: Capacity;
  /** The weight of the tenant's plan, and who waits on those accounts besides when it starts. */
  readonly weight: number;
  readonly others: readonly OtherTenant[];
  readonly paused: boolean;
  /** The stream is stopped at the tenant's spend cap until the start. */
  readonly held: boolean;
}

/** What a sending account, or several together, can take. */
export interface Capacity {
  /** Recipients per rolling 24 h; -1 = unlimited. */
  readonly quota: bigint;
  readonly used: bigint;
  readonly rate: number;
}

export interface Forecast {
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly bindingLimit: Limit;
}

const DAY_MS = 86_400_000;
/** What would be later is as good as never: nothing after the year 9999 can be written as a time of RFC 3339. */
const NEVER_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** What accounts take of a stream that is split over them by weight: the one that is full first for its share decides. */
export function capacityOf(shares: readonly (Capacity & { readonly weight: number })[]): Capacity | undefined {
  const open = shares.filter((share) => share.weight > 0);
  const total = open.reduce((sum, share) => sum + share.weight, 0);
  const whole = (part: bigint, weight: number) => (part * BigInt(total)) / BigInt(weight);
  const least = (values: readonly bigint[]) => values.reduce<bigint | null>((a, b) => smallerCap(a, b), null);
  const limited = open.filter((share) => share.quota >= 0n);
  const [any] = open;
  if (!any) return undefined;
  const quota = least(limited.map((share) => whole(share.quota, share.weight)));
  const room = least(limited.map((share) => whole(positive(share.quota - share.used), share.weight)));
  return {
    quota: quota ?? -1n,
    used: quota === null || room === null ? 0n : positive(quota - room),
    rate: Math.min(...open.map((share) => (share.rate * total) / share.weight)),
  };
}

/**
 * When the first and the last recipient would be out. Reserves nothing and knows no other tenant's plans, only who waits at
 * the start if that is now: an estimate on the quotas, rates and backlog of now, with the day's use freeing 24 h after the start.
 */
export function forecast(facts: ForecastFacts): Forecast {
  const { capacity } = facts;
  const planRate = facts.planRate ?? Number.POSITIVE_INFINITY;
  const rate = Math.max(Math.min(planRate, capacity.rate), 0.001);
  const secondsFor = (n: bigint) => {
    const shared = leftWithThe(Number(n), facts.weight, facts.others) / Math.max(capacity.rate, 0.001);
    return Math.max(Number(n) / rate, shared);
  };
  const startsSoon = facts.startMs - facts.nowMs < DAY_MS;
  const room = (limit: bigint, used: bigint) => positive(limit - (startsSoon ? used : 0n));
  const quota = capacity.quota < 0n ? null : capacity.quota;
  const [cap] = facts.dayCaps;
  const tenantRoom = cap === undefined ? null : room(cap, facts.tenantUsed);
  const accountRoom = quota === null ? null : room(quota, capacity.used);
  const today = smallerCap(tenantRoom, accountRoom);
  const later = facts.dayCaps.slice(1);
  const days = (later.length === 0 ? facts.dayCaps : later).map((own) => smallerCap(own, quota) ?? own);
  const perDay = days.length === 0 && quota !== null ? [quota] : days;
  // The backlog drains from now on, not from the start: by then part of it has gone.
  const drained = BigInt(Math.floor((Math.max(0, facts.startMs - facts.nowMs) / 1_000) * rate));
  const before = positive(facts.waiting - drained);
  const at = (position: bigint) => placeOf(position, { startMs: facts.startMs, secondsFor, perDay, today });
  const total = before + facts.recipients;
  const overDay = at(total) > facts.startMs + Math.ceil(secondsFor(total) * 1_000);
  const tenantBindsDay = tenantRoom !== null && (accountRoom === null || tenantRoom <= accountRoom);
  return {
    firstAt: new Date(Math.min(at(before + 1n), NEVER_MS)),
    lastAt: new Date(Math.min(at(total), NEVER_MS)),
    bindingLimit: bindingLimit(facts, {
      day: overDay ? (tenantBindsDay ? facts.dayLimit : 'ACCOUNT_DAY_QUOTA') : undefined,
      rate: isHeldByOthers(Number(total) / rate, secondsFor(total))
        ? 'FAIR_SHARE'
        : planRate <= capacity.rate
          ? 'PLAN_RATE'
          : 'ACCOUNT_RATE',
      isWithinASecond: secondsFor(total) < 1,
    }),
  };
}

/**
 * What the customer would have to change first.
 * @param found the limit of the day that is met, if one is, and the rate that binds otherwise
 */
function bindingLimit(
  { paused, held }: ForecastFacts,
  found: { readonly day: Limit | undefined; readonly rate: Limit; readonly isWithinASecond: boolean },
): Limit {
  if (paused) return 'PAUSED';
  if (held) return 'SPEND_CAP';
  if (found.day !== undefined) return found.day;
  return found.isWithinASecond ? 'NONE' : found.rate;
}

/**
 * When the n-th recipient goes (1 is the first): at the rate, day window after day window. A window may have more room than
 * the rate can send in a day; what it could not send goes first in the next, so the latest of all windows decides.
 */
function placeOf(
  position: bigint,
  pace: {
    readonly startMs: number;
    /** How long an account takes for so many recipients of the tenant. */
    readonly secondsFor: (recipients: bigint) => number;
    /** Windows after the first; the last stands for all that follow. */
    readonly perDay: readonly bigint[];
    readonly today: bigint | null;
  },
): number {
  const { startMs, secondsFor, perDay, today } = pace;
  const inWindow = (windows: number, n: bigint) => startMs + windows * DAY_MS + Math.ceil(secondsFor(n) * 1_000);
  const last = perDay.at(-1);
  let at = inWindow(0, position);
  if (today === null || last === undefined || position <= today) return at;
  let over = position - today - 1n;
  let windows = 1;
  at = Math.max(at, inWindow(windows, over + 1n));
  for (const room of perDay.slice(0, -1)) {
    if (over < room) return at;
    over -= room;
    windows += 1;
    at = Math.max(at, inWindow(windows, over + 1n));
  }
  if (last === 0n) return startMs + DAY_MS * 365;
  return Math.max(at, inWindow(windows + Number(over / last), (over % last) + 1n));
}

function positive(n: bigint): bigint {
  return n < 0n ? 0n : n;
}
