import fc from 'fast-check';
import { refill, secondsUntil, type BucketState } from './cost-bucket.policy';
import { CostBuckets } from './cost-bucket.service';

const limits = { maximum: 100, restorePerSecond: 10 };
const state: fc.Arbitrary<BucketState> = fc.record({
  points: fc.double({ min: 0, max: 100, noNaN: true }),
  atMs: fc.integer({ min: 0, max: 1e9 }),
});

describe('a bucket of cost points', () => {
  it('never holds more than its maximum and never loses points by waiting', () => {
    fc.assert(
      fc.property(state, fc.integer({ min: -1_000, max: 1e6 }), (before, passed) => {
        const after = refill(before, limits, before.atMs + passed);
        expect(after.points).toBeGreaterThanOrEqual(before.points);
        expect(after.points).toBeLessThanOrEqual(limits.maximum);
      }),
    );
  });

  it('is filled again after a clock that was ahead is set back, from that moment on', () => {
    const empty = { points: 0, atMs: 3_600_000 };
    const back = refill(empty, limits, 1_000);
    expect(back.points).toBe(0);
    expect(refill(back, limits, 2_000).points).toBe(10);
  });

  it('has the points after exactly the seconds it says, and says 0 only when they are there', () => {
    fc.assert(
      fc.property(state, fc.integer({ min: 1, max: 500 }), (before, wanted) => {
        const seconds = secondsUntil(wanted, before, limits);
        const later = refill(before, limits, before.atMs + seconds * 1_000);
        expect(later.points).toBeGreaterThanOrEqual(Math.min(wanted, limits.maximum) - 1e-6);
        expect(seconds === 0).toBe(before.points >= Math.min(wanted, limits.maximum));
      }),
    );
  });

  it('takes all or nothing, and what is given back fills it no further than full', () => {
    const buckets = new CostBuckets({ maximum: 10, restorePerSecond: 0.001 });
    expect(buckets.take('a', 8).retryAfterSeconds).toBe(0);
    expect(buckets.take('a', 8).retryAfterSeconds).toBeGreaterThan(0);
    expect(buckets.status('a').currentlyAvailable).toBe(2);
    expect(buckets.take('b', 8).retryAfterSeconds).toBe(0);
    buckets.giveBack('a', 100);
    expect(buckets.status('a').currentlyAvailable).toBe(10);
  });
});
