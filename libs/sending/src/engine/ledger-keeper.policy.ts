import { FARTHEST_SLOT_MS, SLOT_LIFE_MS } from '@libs/quota';

/** A request may take this long. */
const REQUEST_MS = 15_000;

/** After the last slot that was given in an older epoch, or to a late batch of it, nothing of it can be under way. */
export const QUIET_MS = FARTHEST_SLOT_MS + SLOT_LIFE_MS + REQUEST_MS;

/**
 * Whether a rebuild may read the books now: every request of an older epoch has ended, because no batch is open any
 * more or because none can last this long.
 */
export function mayRebuild(openBatches: number, sinceBumpMs: number): boolean {
  return openBatches === 0 || sinceBumpMs >= QUIET_MS;
}

/**
 * Recipients that SES's rate bucket may still be in debt for once no request is under way: those of one message, which may
 * cost more than the bucket holds. What else was sent it has made good within the second that a rebuild waits anyway.
 * @param largest recipients of the largest message of the last minutes
 */
export function quietRecipients(largest: number): number {
  return Math.min(50, largest);
}

/** Sessions to send with end after an hour, too: without AWS nothing is sent for longer than that anyway. */
const FIGURES_GOOD_MS = 3_600_000;

/**
 * Whether a ledger may be rebuilt by what AWS said of its account last, while it does not answer: one that was not lost
 * would go by the same figures.
 * @param ageMs since then; undefined when it was never asked
 */
export function figuresAreGood(ageMs: number | undefined): boolean {
  return ageMs !== undefined && ageMs <= FIGURES_GOOD_MS;
}
