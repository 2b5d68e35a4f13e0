import { smallerCap } from './day-cap.policy';
import { isHeldByOthers, leftWithThe, partOf, type OtherTenant } from './fair-share.policy';
import type { Limit, WarmUp } from './wait.policy';

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
  /** Nothing goes at all until somebody decides otherwise. */
  readonly paused: boolean;
  /**
   * When the last of the ways that the stream is split over lets its part go: SES refuses it until then. Infinity = nobody can tell,
   * 0 = all are open.
   */
  readonly allOpenMs: number;
  /** What keeps the stream until the start, later than it was asked for: the tenant's spend cap, or SES, which refuses it; null = nothing. */
  readonly heldBy: 'SPEND_CAP' | 'PAUSED' | null;
}

/** What a sending account, or several together, can take. */
export interface Capacity {
  /** Recipients per rolling 24 h; -1 = unlimited. */
  readonly quota: bigint;
  readonly used: bigint;
  /** Whose room of the day that is: what SES allows, or the cap of a pool that is being warmed up. */
  readonly dayLimit: 'ACCOUNT_DAY_QUOTA' | 'POOL_WARMUP';
  readonly rate: number;
  /** What a pool takes in an hour while it is warmed up, and how much of this one's is used; null = no such cap. */
  readonly hour: { readonly cap: number; readonly used: number } | null;
}

/** A part of a stream: the account it leaves from, and the caps of its pool there. */
export interface Share {
  readonly weight: number;
  readonly quota: bigint;
  readonly used: bigint;
  readonly rate: number;
  readonly warmUp: Pick<WarmUp, 'dayCap' | 'usedDay' | 'hourCap' | 'usedHour'> | null;
}

/** Times are null where nobody can tell them: nothing goes until somebody decides, or a limit of 0 is raised. */
export interface Forecast {
  readonly firstAt: Date | null;
  readonly lastAt: Date | null;
  readonly bindingLimit: Limit;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** What would be later is as good as never: nothing after the year 9999 can be written as a time of RFC 3339. */
const NEVER_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** What accounts take of a stream that is split over them by weight: the one that is full first for its share decides. */
export function capacityOf(shares: readonly Share[]): Capacity | undefined {
  const open = shares.filter((share) => share.weight > 0);
  if (open.length === 0) return undefined;
  const total = open.reduce((sum, share) => sum + share.weight, 0);
  const days = open.flatMap((share) => {
    const whole = (part: bigint) => (positive(part) * BigInt(total)) / BigInt(share.weight);
    return daysOf(share).map(({ limit, cap, used }) => ({ limit, cap: whole(cap), room: whole(cap - used) }));
  });
  const quota = days.reduce<bigint | null>((least, { cap }) => smallerCap(least, cap), null);
  const fullest = days.reduce<(typeof days)[number] | undefined>(
    (least, day) => (least !== undefined && least.room <= day.room ? least : day),
    undefined,
  );
  const hours = open.flatMap(({ weight, warmUp }) => {
    if (!warmUp || warmUp.hourCap === null) return [];
    const room = Math.max(0, warmUp.hourCap - warmUp.usedHour);
    return [{ cap: (warmUp.hourCap * total) / weight, room: (room * total) / weight }];
  });
  const hourCap = Math.min(...hours.map(({ cap }) => cap));
  const hourRoom = Math.min(...hours.map(({ room }) => room));
  return {
    quota: quota ?? -1n,
    used: quota === null || fullest === undefined ? 0n : positive(quota - fullest.room),
    dayLimit: fullest?.limit ?? 'ACCOUNT_DAY_QUOTA',
    rate: Math.min(...open.map((share) => (share.rate * total) / share.weight)),
    hour: hours.length === 0 ? null : { cap: hourCap, used: Math.max(0, hourCap - hourRoom) },
  };
}

function daysOf({ quota, used, warmUp }: Share) {
  const days: { limit: Capacity['dayLimit']; cap: bigint; used: bigint }[] = [];
  if (quota >= 0n) days.push({ limit: 'ACCOUNT_DAY_QUOTA', cap: quota, used });
  if (warmUp && warmUp.dayCap !== null) {
    days.push({ limit: 'POOL_WARMUP', cap: BigInt(warmUp.dayCap), used: BigInt(warmUp.usedDay) });
  }
  return days;
}

/**
 * When the first and the last recipient would be out. Reserves nothing and knows no other tenant's plans, only who waits at
 * the start if that is now: an estimate on the quotas, rates and backlog of now, with the day's use freeing 24 h after the start.
 */
export function forecast(facts: ForecastFacts): Forecast {
  if (facts.paused) return { firstAt: null, lastAt: null, bindingLimit: 'PAUSED' };
  const { capacity } = facts;
  const planRate = facts.planRate ?? Number.POSITIVE_INFINITY;
  const rate = Math.max(Math.min(planRate, capacity.rate), 0.001);
  const secondsAtRate = (n: bigint) => {
    const shared = leftWithThe(Number(n), facts.weight, facts.others) / Math.max(capacity.rate, 0.001);
    return Math.max(Number(n) / rate, shared);
  };
  const inMs = facts.startMs - facts.nowMs;
  const secondsFor = (n: bigint) => Math.max(secondsAtRate(n), hoursFor(Number(n), capacity.hour, inMs) * 3_600);
  const startsSoon = inMs < DAY_MS;
  const room = (limit: bigint, used: bigint) => positive(limit - (startsSoon ? used : 0n));
  // Of an account's day others have their part too, and go on where more of theirs waits than is known.
  const isShared = capacity.dayLimit === 'ACCOUNT_DAY_QUOTA';
  const shared = (n: bigint, others: readonly OtherTenant[]) => (isShared ? partOf(n, facts.weight, others) : n);
  const lasting = facts.others.filter(({ waiting }) => !Number.isFinite(waiting));
  const quota = capacity.quota < 0n ? null : shared(capacity.quota, lasting);
  const [cap] = facts.dayCaps;
  const tenantRoom = cap === undefined ? null : room(cap, facts.tenantUsed);
  const accountRoom = quota === null ? null : shared(room(capacity.quota, capacity.used), facts.others);
  const today = smallerCap(tenantRoom, accountRoom);
  const later = facts.dayCaps.slice(1);
  const days = (later.length === 0 ? facts.dayCaps : later).map((own) => smallerCap(own, quota) ?? own);
  const perDay = days.length === 0 && quota !== null ? [quota] : days;
  // The backlog drains from now on, not from the start: by then part of it has gone.
  const drained = BigInt(Math.floor((Math.max(0, facts.startMs - facts.nowMs) / 1_000) * rate));
  const before = positive(facts.waiting - drained);
  const at = (position: bigint) => placeOf(position, { startMs: facts.startMs, secondsFor, perDay, today });
  const total = before + facts.recipients;
  const partHeld = facts.allOpenMs > at(total);
  const overDay = at(total) > facts.startMs + Math.ceil(secondsFor(total) * 1_000);
  const tenantBindsDay = tenantRoom !== null && (accountRoom === null || tenantRoom <= accountRoom);
  return {
    firstAt: timeOf(at(before + 1n)),
    lastAt: timeOf(Math.max(at(total), facts.allOpenMs)),
    bindingLimit: partHeld
      ? 'PAUSED'
      : bindingLimit(facts, {
          day: overDay ? (tenantBindsDay ? facts.dayLimit : capacity.dayLimit) : undefined,
          rate:
            secondsFor(total) > secondsAtRate(total)
              ? 'POOL_WARMUP'
              : isHeldByOthers(Number(total) / rate, secondsAtRate(total))
                ? 'FAIR_SHARE'
                : planRate <= capacity.rate
                  ? 'PLAN_RATE'
                  : 'ACCOUNT_RATE',
          isWithinASecond: secondsFor(total) < 1,
        }),
  };
}

function timeOf(ms: number): Date | null {
  return Number.isFinite(ms) ? new Date(Math.min(ms, NEVER_MS)) : null;
}

/** After how many hours a pool that is warmed up takes the n-th recipient: what this hour has left, then an hour's cap in each. */
function hoursFor(n: number, hour: Capacity['hour'], inMs: number): number {
  if (hour === null) return 0;
  const room = Math.max(0, hour.cap - (inMs < HOUR_MS ? hour.used : 0));
  return n <= room ? 0 : Math.ceil((n - room) / hour.cap);
}

/**
 * What the customer would have to change first.
 * @param found the limit of the day that is met, if one is, and the rate that binds otherwise
 */
function bindingLimit(
  { heldBy }: ForecastFacts,
  found: { readonly day: Limit | undefined; readonly rate: Limit; readonly isWithinASecond: boolean },
): Limit {
  if (heldBy !== null) return heldBy;
  if (found.day !== undefined) return found.day;
  return found.isWithinASecond ? 'NONE' : found.rate;
}

/**
 * When the n-th recipient goes (1 is the first; Infinity = never): at the rate, day window after day window. A window may have more room than
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
  if (last === 0n) return Number.POSITIVE_INFINITY;
  return Math.max(at, inWindow(windows + Number(over / last), (over % last) + 1n));
}

function positive(n: bigint): bigint {
  return n < 0n ? 0n : n;
}
