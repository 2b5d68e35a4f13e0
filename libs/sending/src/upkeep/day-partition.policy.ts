import { firstIdAt, timeOfId } from '@libs/kernel';

/** A day in UTC: `2026-11-22`. */
export type Day = string;

const DAY_MS = 86_400_000;

export function dayAt(ms: number): Day {
  return new Date(ms).toISOString().slice(0, 10);
}

export function daysBefore(day: Day, days: number): Day {
  return dayAt(Date.parse(day) - days * DAY_MS);
}

/** The day of a uuid v7, which is the day of its partition. */
export function dayOfId(id: string): Day {
  return dayAt(timeOfId(id));
}

/** The lowest id a day can have: what is smaller belongs to an earlier one. */
export function firstIdOf(day: Day): string {
  return firstIdAt(Date.parse(day));
}

/**
 * Days before this one may go: they are over for `keepDays` whole days, and nothing of them is still to be sent.
 * @param oldestLive the smallest id among messages that wait, fly or are in doubt
 */
export function droppableBefore(today: Day, keepDays: number, oldestLive: string | undefined): Day {
  const byAge = daysBefore(today, keepDays);
  if (oldestLive === undefined) return byAge;
  const live = dayOfId(oldestLive);
  return live < byAge ? live : byAge;
}
