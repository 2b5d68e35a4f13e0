import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** What is being waited for, in words that complete "waited 5 s for ...". */
  readonly what: string;
  readonly withinMs?: number;
  readonly everyMs?: number;
}

/**
 * Asks until the answer is something other than undefined, null or false, and returns it. An error thrown while asking
 * counts as "not yet" and is told when the time is over.
 * @throws Error saying what was waited for and what the last answer or error was
 */
export async function waitFor<T>(
  ask: () => T | Promise<T>,
  { what, withinMs = 30_000, everyMs = 20 }: WaitOptions,
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let last: string;
    let cause: unknown;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false)
        return answer as Exclude<T, undefined | null | false>;
      last = `the last answer was ${String(answer)}`;
    } catch (error) {
      cause = error;
      last = `the last try failed: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > deadline) throw new Error(`waited ${withinMs / 1000} s for ${what}; ${last}`, { cause });
    await sleep(everyMs);
  }
}
