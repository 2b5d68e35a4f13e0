import fc from 'fast-check';
import { bucketOf, bucketStartMs, countsTowardsDailyCapSinceMs, leavesDailyCapMs, ringShape } from './ring.policy';

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

  it.each([1, 60])('at speed %i, lets count towards a daily cap what has not left it', (speed) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400_000 }), (sinceMs) => {
        const granted = 1_790_000_000_000 + sinceMs;
        const leaves = leavesDailyCapMs(granted, speed);
        expect(leaves).toBeGreaterThan(granted + 86_400_000);
        expect(countsTowardsDailyCapSinceMs(leaves - 1, speed)).toBeLessThanOrEqual(granted);
        expect(countsTowardsDailyCapSinceMs(leaves, speed)).toBeGreaterThan(granted);
      }),
    );
  });
});
