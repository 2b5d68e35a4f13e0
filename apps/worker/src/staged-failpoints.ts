import { CLOSE_FAILPOINTS } from '@libs/billing';
import { ConfigInvalid } from '@libs/config';
import { FAILPOINTS } from '@libs/sending';

/** Places in the life of a batch, and in the close of a month. */
const PLACES: readonly string[] = [...FAILPOINTS, ...CLOSE_FAILPOINTS];

/** What FAILPOINT asks of this process. */
export interface StagedCrash {
  readonly place: string;
  /** How often the place is passed unharmed. */
  readonly passes: number;
  /** Milliseconds the event loop stands still; without it the process dies as by SIGKILL. */
  readonly blockMs?: number;
}

/**
 * Reads `<place>[:<passes>[:block=<ms>]]`, such as `after-claim`, `before-send:20` and `after-claim:3:block=17000`.
 * Undefined when it names no place that exists.
 */
export function readStagedCrash(text: string): StagedCrash | undefined {
  const [, name, passes = '0', blockMs] = /^([a-z-]+)(?::(\d{1,6})(?::block=(\d{1,6}))?)?$/.exec(text) ?? [];
  const place = PLACES.find((known) => known === name);
  if (place === undefined) return undefined;
  return { place, passes: Number(passes), ...(blockMs === undefined ? {} : { blockMs: Number(blockMs) }) };
}

/**
 * What crashes or blocks this process, once, when it passes the place that the text names.
 * @throws ConfigInvalid when the text names no place
 */
export function stagedCrash(text: string): (place: string) => void {
  const crash = readStagedCrash(text);
  if (!crash) {
    throw new ConfigInvalid([
      `FAILPOINT: expected <place>[:<passes>[:block=<ms>]], the place one of ${PLACES.join(', ')}`,
    ]);
  }
  let left = crash.passes;
  return (place) => {
    if (place !== crash.place) return;
    left -= 1;
    if (left !== -1) return;
    if (crash.blockMs === undefined) process.kill(process.pid, 'SIGKILL');
    // Nothing else runs in this thread until the time is over: timers, sockets and renewals of locks all wait.
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, crash.blockMs);
  };
}
