/** Slots lie 4 s ahead and end 5 s after their time, a request may take 15 s: then nothing of an older epoch can be under way. */
export const QUIET_MS = 25_000;

/**
 * Whether a rebuild may read the books now: every request of an older epoch has ended, because no batch is open any
 * more or because none can last this long.
 */
export function mayRebuild(openBatches: number, sinceBumpMs: number): boolean {
  return openBatches === 0 || sinceBumpMs >= QUIET_MS;
}

/** Recipients whose slots may still be due in SES's rate bucket: those of the last minute, at most one message's debt. */
export function quietRecipients(usedLastMinute: bigint): number {
  return Number(usedLastMinute < 50n ? usedLastMinute : 50n);
}
