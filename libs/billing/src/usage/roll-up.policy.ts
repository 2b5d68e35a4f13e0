import { DomainError } from '@libs/kernel';
import { parsePeriod, type Span } from '../billing-period.policy';

/** A calendar day in UTC, `YYYY-MM-DD`. */
export type Day = string;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A message waits for seven days at most, and its last attempt may be in doubt for another. */
const LONGEST_LIFE_DAYS = 8;
/** A day is counted when it has been over for so long: by then its attempts have ended and their events have come. */
const GRACE_MS = 2 * HOUR_MS;
/** Events that are late themselves are waited for so long, and no longer: what they change is booked afterwards. */
const PATIENCE_MS = DAY_MS;
/**
 * When a day is counted again, after its end: once when what was in doubt over the day is settled, and once when nothing
 * of it can wait any more. A message lives seven days, and settling its last doubt takes another (docs/in-doubt.md).
 */
const AGAIN_MS = [DAY_MS + GRACE_MS, 9 * DAY_MS];

export interface RolledDay {
  readonly day: Day;
  readonly rolledAt: Date;
  /** Attempts of which nobody knows yet whether SES took them. */
  readonly inDoubt: bigint;
}

/** @throws DomainError INVALID_INPUT (day) */
export function spanOfDay(day: Day): Span {
  const from = new Date(`${day}T00:00:00.000Z`);
  if (!/^20\d\d-\d\d-\d\d$/.test(day) || !isDay(from, day)) {
    throw new DomainError({ code: 'INVALID_INPUT', message: 'Expected a day as YYYY-MM-DD.', path: ['day'] });
  }
  return { from, to: after(from, DAY_MS) };
}

export function dayOf(at: Date): Day {
  return at.toISOString().slice(0, 10);
}

export function nextDay(day: Day): Day {
  return dayOf(spanOfDay(day).to);
}

/** The whole days of a span that are counted, and the rest of it, in spans as few as can be. */
export function byDays({ from, to }: Span, counted: ReadonlySet<Day>): { readonly days: Day[]; readonly rest: Span[] } {
  const days: Day[] = [];
  const rest: Span[] = [];
  let at = from;
  while (at < to) {
    const day = dayOf(at);
    const whole = spanOfDay(day);
    const end = whole.to < to ? whole.to : to;
    const last = rest.at(-1);
    if (counted.has(day) && at.getTime() === whole.from.getTime() && end.getTime() === whole.to.getTime())
      days.push(day);
    else if (last?.to.getTime() === at.getTime()) rest[rest.length - 1] = { from: last.from, to: end };
    else rest.push({ from: at, to: end });
    at = end;
  }
  return { days, rest };
}

/** `YYYY-MM` of the day. */
export function monthOf(day: Day): string {
  return day.slice(0, 7);
}

/** Whether the day has been over for long enough; and whether so long that nothing is waited for any more. */
export function watermark(day: Day, now: Date): 'running' | 'settling' | 'ready' {
  const over = now.getTime() - spanOfDay(day).to.getTime();
  if (over < GRACE_MS) return 'running';
  return over < PATIENCE_MS ? 'settling' : 'ready';
}

/**
 * Whether the day can be counted now.
 * @param droppedBefore retention has dropped the attempts of messages accepted before this day; undefined = of none
 * @throws DomainError INVALID_INPUT (day) for one that is not over for two hours; CONFLICT (day) when its attempts are dropped
 */
export function checkCountable(day: Day, now: Date, droppedBefore: Day | undefined): void {
  if (watermark(day, now) === 'running') {
    throw new DomainError({
      code: 'INVALID_INPUT',
      message: 'Expected a day that has been over for two hours.',
      path: ['day'],
    });
  }
  if (droppedBefore !== undefined && spanOfDay(day).from < lifeAfter(droppedBefore)) {
    throw new DomainError({
      code: 'CONFLICT',
      message: 'Attempts of this day were dropped after their retention: it cannot be counted any more.',
      path: ['day'],
    });
  }
}

/** When the last attempt of a message that was accepted before the day has ended. */
export function lifeAfter(day: Day): Date {
  return after(spanOfDay(day).from, LONGEST_LIFE_DAYS * DAY_MS);
}

/** When the first message was accepted of which an attempt may have ended on the day. */
export function lifeBefore(day: Day): Date {
  return after(spanOfDay(day).from, -LONGEST_LIFE_DAYS * DAY_MS);
}

/** Whether a day that was counted is to be counted again now. */
export function isDueAgain(rolled: RolledDay, now: Date): boolean {
  const end = spanOfDay(rolled.day).to;
  const passed = AGAIN_MS.map((ms) => after(end, ms)).filter((moment) => moment <= now);
  if (passed.some((moment) => moment > rolled.rolledAt)) return true;
  return rolled.inDoubt > 0n && after(rolled.rolledAt, DAY_MS) <= now;
}

/** The month a difference is billed in: its own, or the first one after it that is not closed. */
export function bookingPeriod(day: Day, closed: ReadonlySet<string>): string {
  let month = monthOf(day);
  while (closed.has(month)) month = monthOf(dayOf(parsePeriod(month).end));
  return month;
}

/** The 31st of February is no day, and neither is what cannot be parsed. */
function isDay(from: Date, day: Day): boolean {
  return from.getTime() === from.getTime() && dayOf(from) === day;
}

function after(at: Date, ms: typeof DAY_MS): Date {
  return new Date(at.getTime() + ms);
}
