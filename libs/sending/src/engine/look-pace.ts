import type { Timers } from '@libs/kernel';
import { costOfLook, restAfterLook } from './look-pace.policy';

/** Paces a look that a tick makes by what it costs: skipped for as long as it would take more than its share of time. */
export class LookPace {
  private lastMs = 0;
  private dueAt = Number.NEGATIVE_INFINITY;

  /** @param everyMs how often the tick comes, real milliseconds */
  constructor(
    private readonly timers: Timers,
    private readonly everyMs: number,
  ) {}

  /** What the look found; undefined when it rests. A look that fails is made again with the next tick. */
  async look<Found>(find: () => Promise<Found>): Promise<Found | undefined> {
    const began = this.timers.monotonicMs();
    if (began < this.dueAt) return undefined;
    const found = await find();
    const ended = this.timers.monotonicMs();
    const rest = restAfterLook(this.everyMs, costOfLook(this.lastMs, ended - began));
    this.lastMs = ended - began;
    // The tick itself is pace enough; to wait for it here as well would skip every other one.
    if (rest > this.everyMs) this.dueAt = ended + rest;
    return found;
  }
}
