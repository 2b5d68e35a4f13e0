/** Slots lie 4 s ahead and end 5 s after their time, a request may take 15 s: then nothing of an older epoch can be under way. */
export const QUIET_MS = 25_000;

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
