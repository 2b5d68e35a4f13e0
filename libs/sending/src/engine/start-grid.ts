import type { Timers } from '@libs/kernel';

/**
 * One timer for everything that is due within the same few milliseconds, on all accounts: a timer and a turn of the loop
 * for each message cost more than they pace. What is due comes at the next tick, never before its time.
 */
export class StartGrid {
  private readonly ticks = new Map<number, (() => void)[]>();

  /** `tick` is given what is to be called in it. All times are real milliseconds. */
  constructor(
    private readonly timers: Timers,
    private readonly gridMs: number,
    private readonly tick: (works: readonly (() => void)[]) => void,
  ) {}

  /** Calls `work` at the first tick after that time; what this answers cancels it. */
  after(ms: number, work: () => void): () => void {
    const now = this.timers.monotonicMs();
    const number = Math.max(Math.ceil((now + ms) / this.gridMs), Math.floor(now / this.gridMs) + 1);
    let cancelled = false;
    const entry = () => {
      if (!cancelled) work();
    };
    const works = this.ticks.get(number);
    if (works !== undefined) works.push(entry);
    else {
      this.ticks.set(number, [entry]);
      this.wait(number, now);
    }
    return () => {
      cancelled = true;
    };
  }

  private wait(number: number, now: number): void {
    this.timers.after(Math.max(1, Math.ceil(number * this.gridMs - now)), () => {
      // Timers count from the beginning of the turn they were set in, so they may ring early.
      const woken = this.timers.monotonicMs();
      if (woken < number * this.gridMs) {
        this.wait(number, woken);
        return;
      }
      const works = this.ticks.get(number) ?? [];
      this.ticks.delete(number);
      this.tick(works);
    });
  }
}
