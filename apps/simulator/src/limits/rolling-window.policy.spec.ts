import fc from 'fast-check';
import { RollingWindow } from './rolling-window.policy';

const arrivals = fc.array(fc.record({ gap: fc.nat({ max: 400 }), count: fc.integer({ min: 1, max: 50 }) }), {
  maxLength: 200,
});

describe('a rolling window', () => {
  it('equals the sum over the last span, recomputed from the whole history', () => {
    fc.assert(
      fc.property(arrivals, (steps) => {
        const window = new RollingWindow(1000);
        const history: { at: number; count: number }[] = [];
        let now = 0;
        for (const { gap, count } of steps) {
          now += gap;
          window.add(now, count);
          history.push({ at: now, count });
          const expected = history.filter((one) => one.at > now - 1000).reduce((sum, one) => sum + one.count, 0);
          expect(window.sum(now)).toBe(expected);
        }
      }),
    );
  });

  it('forgets an entry exactly one span after it came, and says when', () => {
    const window = new RollingWindow(1000);
    window.add(500, 3);
    expect(window.nextReleaseAt()).toBe(1500);
    expect([window.sum(1499), window.sum(1500)]).toEqual([3, 0]);
  });
});
