import { firstIdAt, timeOfId, type Stream } from '@libs/kernel';
import { READY_WINDOW, type Fraction } from '@libs/quota';

/** How often everything that waits is looked at from the start, real milliseconds: it finds what the cursor jumped over. */
export const SWEEP_MS: Readonly<Record<Stream, number>> = { TRANSACTIONAL: 1_000, MARKETING: 3_000 };

/**
 * A line that has more behind its cursor than its list can hold is begun from the start this much more seldom: what is
 * found there is mostly what is listed already, and one message more that waits is no haste.
 */
export const BACKLOGGED = 10;

/** How far ahead a ready list reaches, seconds of its share of the account's rate: several feeds may fail before it is empty. */
const AHEAD_S = 10;

/** A slow account needs no more than this, seconds of all of its rate: what is listed is read again with every look from the start. */
const SLOW_AHEAD_S = 30;
const LEAST_WINDOW = 100;

/** How many messages the ready list of a line may hold on an account of that rate which so many lines share. */
export function readyWindow(rate: Fraction, lines: number): number {
  const perSecond = rate.num / rate.den;
  const least = Math.min(READY_WINDOW, Math.max(LEAST_WINDOW, Math.ceil(SLOW_AHEAD_S * perSecond)));
  return Math.max(least, Math.ceil((AHEAD_S * perSecond) / Math.max(1, lines)));
}

/** The lists of an account whose mail is not known to have changed are looked at this often at least, real milliseconds. */
const LOOK_MS = 3_000;

/** When the lists of an account must be looked at again, real milliseconds: before one can have run half empty. */
export function restOfLists(listed: readonly number[], window: number, rate: Fraction): number {
  const spare = Math.min(...listed) - window / 2;
  return Math.max(0, Math.min(LOOK_MS, (spare * 1000 * rate.den) / Math.max(1, rate.num)));
}

/**
 * The smallest id of that age, by the time that is written in uuids of version 7: ids are given before their rows are
 * committed, so that a cursor must stay behind the youngest.
 * @param newest an id made now
 */
export function idAtAge(newest: string, ageMs: number): string {
  return firstIdAt(timeOfId(newest) - ageMs);
}
