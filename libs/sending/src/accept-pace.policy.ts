/** Sizes are in messages of 4 KB: a shared transaction is full with so many. */
export const TOGETHER = 200;
/** Transactions at a time; a pool of ten connections has some left for everything else. */
const RUNNING_TOGETHER = 3;
/** Milliseconds between the beginnings of two shared transactions, unless one is full before, */
const TOGETHER_EVERY_MS = 5;
/** and while another is under way: what comes meanwhile shares the next one. Only one that is held up is not waited for. */
const BESIDE_ANOTHER_MS = 50;

/**
 * Milliseconds until the next shared transaction may begin, at most 0 for at once; Infinity as long as none of those that
 * run has ended, or nothing waits.
 */
export function beginsInMs(waiting: number, running: number, sinceLastMs: number): number {
  if (waiting === 0 || running >= RUNNING_TOGETHER) return Infinity;
  if (waiting >= TOGETHER) return 0;
  return (running === 0 ? TOGETHER_EVERY_MS : BESIDE_ANOTHER_MS) - sinceLastMs;
}
