import fc from 'fast-check';
import { allowanceFor, needsHistory, type RampTerms } from './ramp.policy';

const terms: RampTerms = { planCap: 1_000_000n, floor: 50_000n, factor: '3' };

describe('the allowance of a day', () => {
  it('is the floor of the tier for who has sent nothing', () => {
    expect(allowanceFor(terms, 0n)).toEqual({ recipients: 50_000n, limit: 'RAMP' });
  });

  it('is a multiple of the highest day before', () => {
    expect(allowanceFor(terms, 40_000n)).toEqual({ recipients: 120_000n, limit: 'RAMP' });
    expect(allowanceFor({ ...terms, factor: '1.25' }, 100_001n)).toEqual({ recipients: 125_001n, limit: 'RAMP' });
    expect(allowanceFor({ ...terms, factor: '1.5' }, 100_000n)).toEqual({ recipients: 150_000n, limit: 'RAMP' });
  });

  it('is never above the plan, and says then that the plan is the limit', () => {
    expect(allowanceFor(terms, 900_000n)).toEqual({ recipients: 1_000_000n, limit: 'PLAN' });
    expect(allowanceFor({ ...terms, planCap: 100n }, 0n)).toEqual({ recipients: 100n, limit: 'PLAN' });
    expect(allowanceFor({ ...terms, planCap: null }, 900_000n)).toEqual({ recipients: 2_700_000n, limit: 'RAMP' });
  });

  const anyTerms = fc.record({
    planCap: fc.option(fc.bigInt(1n, 10n ** 12n)),
    floor: fc.bigInt(1n, 10n ** 9n),
    factor: fc.integer({ min: 100, max: 999_999 }).map((n) => (n / 100).toFixed(2)),
  });

  it('grows with what was sent, stays within plan and floor, and ignores history exactly where it says so', () => {
    fc.assert(
      fc.property(anyTerms, fc.bigInt(0n, 10n ** 10n), fc.bigInt(0n, 10n ** 10n), (any, before, more) => {
        const low = allowanceFor(any, before).recipients;
        const high = allowanceFor(any, before + more).recipients;
        expect(high >= low).toBe(true);
        if (any.planCap !== null) expect(high <= any.planCap).toBe(true);
        const floor = any.planCap !== null && any.planCap < any.floor ? any.planCap : any.floor;
        expect(low >= floor).toBe(true);
        if (!needsHistory(any)) expect(allowanceFor(any, before)).toEqual(allowanceFor(any, 0n));
      }),
    );
  });
});
