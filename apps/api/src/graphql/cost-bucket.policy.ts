/** Points a key holds: spent by queries, restored each second up to a maximum. */
export interface BucketState {
  readonly points: number;
  readonly atMs: number;
}

export interface BucketLimits {
  readonly maximum: number;
  readonly restorePerSecond: number;
}

/** By a clock that was set back nothing has passed, and from then on time counts again. */
export function refill(state: BucketState, limits: BucketLimits, nowMs: number): BucketState {
  const seconds = Math.max(0, nowMs - state.atMs) / 1_000;
  return {
    points: Math.min(limits.maximum, state.points + seconds * limits.restorePerSecond),
    atMs: nowMs,
  };
}

/** Whole seconds until `wanted` points are there; what Retry-After says. A wish above the maximum waits for a full bucket. */
export function secondsUntil(wanted: number, state: BucketState, limits: BucketLimits): number {
  const missing = Math.min(wanted, limits.maximum) - state.points;
  return missing <= 0 ? 0 : Math.max(1, Math.ceil(missing / limits.restorePerSecond));
}
