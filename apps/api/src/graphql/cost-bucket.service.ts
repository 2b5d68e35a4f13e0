import { SystemClock } from '@libs/kernel';
import { refill, secondsUntil, type BucketLimits, type BucketState } from './cost-bucket.policy';

const MAX_OWNERS = 50_000;

export interface ThrottleStatus {
  readonly maximumAvailable: number;
  readonly currentlyAvailable: number;
  readonly restoreRate: number;
}

/**
 * One bucket per owner (a key, or an address that has none yet). Kept in this process: with N api processes a key gets up to N times the rate.
 * Redis would make it exact and put one more round trip and one more failure in front of every request; the engine's own
 * limits, which protect AWS and the plans, do not depend on this one. Real time on purpose: it protects this machine.
 */
export class CostBuckets {
  private readonly states = new Map<string, BucketState>();
  private readonly clock = new SystemClock();

  constructor(private readonly limits: BucketLimits) {}

  /** Takes `points` if they are there; otherwise takes nothing and says in how many seconds they will be. */
  take(owner: string, points: number): { readonly retryAfterSeconds: number } {
    const state = this.current(owner);
    const wait = secondsUntil(points, state, this.limits);
    if (wait === 0) this.keep(owner, { ...state, points: state.points - Math.min(points, this.limits.maximum) });
    return { retryAfterSeconds: wait };
  }

  /** Gives back what an answer cost less than it asked for; never below an empty or above a full bucket. */
  giveBack(owner: string, points: number): void {
    const state = this.current(owner);
    this.keep(owner, { ...state, points: Math.max(0, Math.min(this.limits.maximum, state.points + points)) });
  }

  /** Seconds until `points` are there, taking nothing. */
  peek(owner: string, points: number): number {
    return secondsUntil(points, this.current(owner), this.limits);
  }

  status(owner: string): ThrottleStatus {
    return {
      maximumAvailable: this.limits.maximum,
      currentlyAvailable: Math.floor(this.current(owner).points),
      restoreRate: this.limits.restorePerSecond,
    };
  }

  private current(owner: string): BucketState {
    const nowMs = this.clock.nowMs();
    return refill(this.states.get(owner) ?? { points: this.limits.maximum, atMs: nowMs }, this.limits, nowMs);
  }

  private keep(owner: string, state: BucketState): void {
    // Insertion order is age: a full map forgets the owner that was idle longest, whose bucket has refilled anyway.
    this.states.delete(owner);
    this.states.set(owner, state);
    if (this.states.size > MAX_OWNERS) {
      const [oldest] = this.states.keys();
      if (oldest !== undefined) this.states.delete(oldest);
    }
  }
}
