/**
 * The share of its time that a look may take: one that has become slow (rows that a long transaction keeps from being
 * cleaned away) becomes rare instead of being all that happens.
 */
const BUSY = 0.05;

/** No look rests longer, real milliseconds: what it would find may wait for it. */
const LONGEST_REST_MS = 30_000;

/** When to look again, real milliseconds after a look that took `tookMs`. */
export function restAfterLook(everyMs: number, tookMs: number): number {
  return Math.max(everyMs, Math.min(LONGEST_REST_MS, tookMs / BUSY - tookMs));
}

/** What a look costs, real milliseconds, by the last two: one alone may have met a pause of the process or a busy machine. */
export function costOfLook(lastMs: number, thisMs: number): number {
  return Math.min(lastMs, thisMs);
}
