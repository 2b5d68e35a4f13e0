import { bucketOf, bucketStartMs, ringShape } from './ring.policy';

describe('the 24-hour ring', () => {
  it('has 1,443 buckets of a minute on real time', () => {
    expect(ringShape(1)).toEqual({ bucketMs: 60_000, buckets: 1443 });
  });

  it('keeps a bucket until 24 h and the guard after its end, and not a bucket longer', () => {
    const { bucketMs, buckets } = ringShape(1);
    const granted = bucketOf(1_000_000_000_000);
    const firstForgotten = bucketStartMs(granted + buckets);
    expect(firstForgotten - bucketStartMs(granted + 1)).toBeGreaterThanOrEqual(86_400_000 + 120_000);
    expect(firstForgotten - bucketStartMs(granted + 1)).toBeLessThan(86_400_000 + 120_000 + bucketMs);
  });

  it('stretches the guard with a fast clock, because requests take real time', () => {
    expect(ringShape(60).buckets).toBeGreaterThanOrEqual((86_400_000 + 60 * 120_000) / 60_000);
  });
});
