import fc from 'fast-check';
import { SECOND, SimulatedAccount, START } from './testing';

const DAY = 86_400 * SECOND;
const DAYS = 3;
/** How often somebody asks when the day is used up: what returns waits so long at most. */
const ASK_US = 15 * SECOND;

/** Mean of what SES's rolling day holds from the second day on, over the quota. */
function shareUsed({ seen, quota }: SimulatedAccount): number {
  const integral = seen.reduce((sum, { at, cost }) => {
    const counted = Math.min(at + DAY, START + DAYS * DAY) - Math.max(at, START + DAY);
    return sum + Math.max(0, counted) * cost;
  }, 0);
  return integral / (quota * (DAYS - 1) * DAY);
}

describe('the day of an account (on the model, which real Redis is compared with)', () => {
  it('P4: mail that always waits uses 99.7 % of any quota, and never more than all of it', () => {
    const quotas = fc.record({
      quota: fc.integer({ min: 200, max: 1_500 }),
      // Fast enough that the day binds, not the rate.
      rate: fc.constantFrom(1, 3, 14),
      costs: fc.constantFrom([1], [1, 2], [1, 1, 5]),
    });
    fc.assert(
      fc.property(quotas, ({ quota, rate, costs }) => {
        const account = new SimulatedAccount(quota, { num: rate, den: 1 });
        const more = () => {
          account.offer('t', Array.from({ length: 10 }, () => costs).flat());
        };
        more();
        while (account.now < START + DAYS * DAY) {
          const grant = account.acquire();
          if (grant) more();
          grant?.messages.forEach(({ cost }, i) => {
            account.send(grant.t0 + (i * SECOND) / rate, cost);
          });
          const isDayOver = grant === undefined && account.ask()[2] === 'day';
          account.advance(isDayOver ? ASK_US : SECOND / 4);
        }
        expect(account.worstDay()).toBeLessThanOrEqual(quota);
        // The last few recipients of a day may be fewer than any message that waits has.
        const fillable = (quota - Math.max(...costs) + 1) / quota;
        expect(shareUsed(account)).toBeGreaterThanOrEqual(0.997 * fillable);
      }),
      { numRuns: 8 },
    );
  });
});
