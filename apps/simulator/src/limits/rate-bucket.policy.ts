export interface RateBucket {
  /** Recipients that may still go; negative is debt of an earlier request with many recipients. */
  readonly tokens: number;
  readonly at: number;
}

/** Float arithmetic must not turn an exactly refilled token into a refusal. */
const EPSILON = 1e-6;

export function bucketCapacity(ratePerSecond: number, configured?: number): number {
  return Math.max(1, configured ?? ratePerSecond);
}

export function fullBucket(capacity: number, now: number): RateBucket {
  return { tokens: capacity, at: now };
}

/**
 * The bucket at `now`: refilled continuously at the rate, never above its capacity. What may have waited to be heard since
 * then could have used what ran in meanwhile, so that nothing of it runs over: a sender is not refused for the pauses of
 * the one who counts.
 */
export function refill(
  bucket: RateBucket,
  ratePerSecond: number,
  capacity: number,
  now: number,
  since = now,
): RateBucket {
  const refilled = (fromMs: number, toMs: number) => (Math.max(0, toMs - fromMs) * ratePerSecond) / 1000;
  const calm = Math.min(capacity, bucket.tokens + refilled(bucket.at, since));
  // One more that waited in the same pause finds what the one before it left.
  const then = since < bucket.at ? bucket.tokens : calm;
  return { tokens: then + refilled(Math.max(bucket.at, since), now), at: Math.max(bucket.at, now) };
}

/** A request goes through while a whole token is left, however many recipients it has. */
export function isDry(bucket: RateBucket): boolean {
  return bucket.tokens < 1 - EPSILON;
}

/** Takes all recipients of an admitted request; those beyond the tokens left become debt (aws-facts 2.1). */
export function take(bucket: RateBucket, recipients: number): RateBucket {
  return { ...bucket, tokens: bucket.tokens - recipients };
}
