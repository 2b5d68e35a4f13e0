import type { Limit } from './wait.policy';

/** What a volume would meet. Recipients, recipients per second, engine milliseconds. */
export interface ForecastFacts {
  readonly recipients: bigint;
  readonly startMs: number;
  readonly nowMs: number;
  /** Recipients of the tenant that wait already and would go first. */
  readonly waiting: bigint;
  readonly planDayCap: bigint | null;
  readonly planUsed: bigint;
  readonly planRate: number | null;
  /** -1 = unlimited. */
  readonly accountQuota: bigint;
  readonly accountUsed: bigint;
  readonly accountRate: number;
  readonly paused: boolean;
}

export interface Forecast {
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly bindingLimit: Limit;
}

const DAY_MS = 86_400_000;

/**
 * When the first and the last recipient would be out. Reserves nothing and knows no other tenant's plans: an estimate
 * on the quotas, rates and backlog of now, with the day's use freeing 24 h after the start.
 */
export function forecast(facts: ForecastFacts): Forecast {
  const planRate = facts.planRate ?? Number.POSITIVE_INFINITY;
  const rate = Math.max(Math.min(planRate, facts.accountRate), 0.001);
  const perDay = smaller(facts.planDayCap, facts.accountQuota < 0n ? null : facts.accountQuota);
  const startsSoon = facts.startMs - facts.nowMs < DAY_MS;
  const usedThen = (used: bigint) => (startsSoon ? used : 0n);
  const planRoom = facts.planDayCap === null ? null : positive(facts.planDayCap - usedThen(facts.planUsed));
  const accountRoom = facts.accountQuota < 0n ? null : positive(facts.accountQuota - usedThen(facts.accountUsed));
  const today = smaller(planRoom, accountRoom);
  // The backlog drains from now on, not from the start: by then part of it has gone.
  const drained = BigInt(Math.floor((Math.max(0, facts.startMs - facts.nowMs) / 1_000) * rate));
  const before = positive(facts.waiting - drained);
  const at = (position: bigint) => placeOf(position, { startMs: facts.startMs, rate, perDay, today });
  const total = before + facts.recipients;
  const overDay = today !== null && total > today;
  const planBindsDay = planRoom !== null && (accountRoom === null || planRoom <= accountRoom);
  return {
    firstAt: new Date(at(before + 1n)),
    lastAt: new Date(at(total)),
    bindingLimit: facts.paused
      ? 'PAUSED'
      : overDay
        ? planBindsDay
          ? 'PLAN_QUOTA'
          : 'ACCOUNT_DAY_QUOTA'
        : Number(total) / rate < 1
          ? 'NONE'
          : planRate <= facts.accountRate
            ? 'PLAN_RATE'
            : 'ACCOUNT_RATE',
  };
}

/** When the n-th recipient goes (1 is the first): at the rate, day window after day window. */
function placeOf(
  position: bigint,
  pace: {
    readonly startMs: number;
    readonly rate: number;
    readonly perDay: bigint | null;
    readonly today: bigint | null;
  },
): number {
  const { startMs, rate, perDay, today } = pace;
  const seconds = (n: bigint) => Math.ceil((Number(n) / rate) * 1_000);
  if (today === null || perDay === null || position <= today) return startMs + seconds(position);
  if (perDay === 0n) return startMs + DAY_MS * 365;
  const over = position - today - 1n;
  const windows = Number(over / perDay) + 1;
  return startMs + windows * DAY_MS + seconds((over % perDay) + 1n);
}

function positive(n: bigint): bigint {
  return n < 0n ? 0n : n;
}

function smaller(a: bigint | null, b: bigint | null): bigint | null {
  if (a === null) return b;
  if (b === null) return a;
  return a < b ? a : b;
}
