import fc from 'fast-check';
import { jain, median, percentile, worstShareError, worstSlidingWindow, type Weighed } from './statistics';

const heardAtOnce = (atUs: number, recipients = 1): Weighed => ({ atUs, sinceUs: atUs, recipients });
const evenly = (count: number, everyUs: number): Weighed[] =>
  Array.from({ length: count }, (_, i) => heardAtOnce(i * everyUs));

describe('the statistics of the benchmark', () => {
  it('takes percentiles by nearest rank', () => {
    expect(percentile([5, 1, 3, 2, 4], 0.5)).toBe(3);
    expect(percentile([1, 2, 3, 4], 0.99)).toBe(4);
    expect(median([2, 1])).toBe(1);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('calls equal shares fair and a single winner unfair', () => {
    expect(jain([7, 7, 7, 7])).toBe(1);
    expect(jain([1, 0, 0, 0])).toBe(0.25);
    expect(jain([517, 524, 520, 519])).toBeGreaterThan(0.9999);
  });

  it('counts the worst sliding second, not the worst whole second', () => {
    expect(worstSlidingWindow(evenly(3_000, 1_000), 1_000_000)).toBe(1_000);
    // 600 at the end of one second and 600 at the beginning of the next: 600 in each whole second, 1,200 within one.
    const burst = Array.from({ length: 1_200 }, (_, i) => heardAtOnce((i < 600 ? 900_000 : 1_100_000) + (i % 600)));
    expect(worstSlidingWindow(burst, 1_000_000)).toBe(1_200);
  });

  it('weighs arrivals by their recipients', () => {
    expect(worstSlidingWindow([heardAtOnce(0, 50), heardAtOnce(1_000_000, 3)], 1_000_000)).toBe(50);
  });

  it('does not count as a burst what came while nobody listened, and still counts what certainly is one', () => {
    // 1,000 a second, of which those of 50 ms are heard together when these are over.
    const paused = evenly(3_000, 1_000).map((one) =>
      one.atUs > 1_000_000 && one.atUs <= 1_050_000 ? { ...one, atUs: 1_050_000, sinceUs: 1_000_001 } : one,
    );
    expect(worstSlidingWindow(paused, 1_000_000)).toBe(1_000);
    expect(
      worstSlidingWindow(
        paused.map(({ atUs }) => heardAtOnce(atUs)),
        1_000_000,
      ),
    ).toBe(1_049);
    const twice = paused.flatMap((one) => [one, one]);
    expect(worstSlidingWindow(twice, 1_000_000)).toBe(2_000);
  });

  it('finds the same worst window as counting from every arrival does', () => {
    const arrivals = fc.array(fc.record({ atUs: fc.nat(5_000), recipients: fc.integer({ min: 1, max: 5 }) }));
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 2_000 }), (list, span) => {
        const sorted = list
          .map(({ atUs, recipients }) => heardAtOnce(atUs, recipients))
          .sort((a, b) => a.atUs - b.atUs);
        const slow = sorted.map(({ atUs }) =>
          sorted.filter((one) => one.atUs >= atUs && one.atUs < atUs + span).reduce((n, one) => n + one.recipients, 0),
        );
        expect(worstSlidingWindow(sorted, span)).toBe(Math.max(0, ...slow));
      }),
    );
  });

  it('measures the worst error of a share against its weight', () => {
    expect(worstShareError([100, 200, 400], [1, 2, 4])).toBe(0);
    expect(worstShareError([110, 200, 390], [1, 2, 4])).toBeCloseTo(0.1);
  });
});
