/** Width of a bucket of the 24-hour ring, milliseconds. */
const BUCKET_MS = 60_000;
/** How much longer than 24 h after a bucket's end it stays charged: HTTP timeout, life of a slot, allowance for skew. */
const GUARD_MS = 120_000;
const DAY_MS = 86_400_000;
/** Tenants' caps are counted in buckets so many times as wide: thousands of rings of 600 bytes. */
export const WIDE = 10;

export interface RingShape {
  readonly bucketMs: number;
  /** Buckets that count towards the rolling 24 hours, the current one included. */
  readonly buckets: number;
}

/**
 * The ring for a clock of that speed. A send that SES accepts now may have been granted up to the guard ago; the guard is
 * real time, so it grows with the speed of the engine's clock. With real time: 1,443 buckets, 99.79 % of the quota usable.
 */
export function ringShape(speed: number): RingShape {
  const guard = GUARD_MS * Math.max(1, speed);
  return { bucketMs: BUCKET_MS, buckets: Math.ceil((DAY_MS + guard) / BUCKET_MS) + 1 };
}

/** The bucket a moment falls into. */
export function bucketOf(ms: number): number {
  return Math.floor(ms / BUCKET_MS);
}

export function bucketStartMs(bucket: number): number {
  return bucket * BUCKET_MS;
}

/** When what a tenant was granted at that moment leaves its daily cap, on a clock of that speed. */
export function leavesDailyCapMs(grantedMs: number, speed: number): number {
  const wide = WIDE * BUCKET_MS;
  return (Math.floor(grantedMs / wide) + 1) * wide + (ringShape(speed).buckets - 1) * BUCKET_MS;
}

/** The earliest moment whose grants still count towards daily caps now. */
export function countsTowardsDailyCapSinceMs(nowMs: number, speed: number): number {
  const first = bucketOf(nowMs) - ringShape(speed).buckets + 1;
  return Math.floor(first / WIDE) * WIDE * BUCKET_MS;
}
