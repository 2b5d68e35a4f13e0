import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waiting and measuring, given to whoever needs it, so that a simulation can run days of the engine in seconds. Real
 * milliseconds, whatever the engine's clock says.
 */
export abstract class Timers {
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  abstract monotonicMs(): number;
  /** Resolves after `ms`, or at once when the signal is aborted. Never rejects. */
  abstract sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `work` once after `ms`, unless what this answers is called before. */
  abstract after(ms: number, work: () => void): () => void;

  /** Calls `work` once everything that has arrived by now was looked at. */
  soon(work: () => void): void {
    this.after(0, work);
  }
}

export class SystemTimers extends Timers {
  monotonicMs(): number {
    return performance.now();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }

  after(ms: number, work: () => void): () => void {
    const timer = setTimeout(work, ms);
    return () => {
      clearTimeout(timer);
    };
  }

  override soon(work: () => void): void {
    setImmediate(work);
  }
}
