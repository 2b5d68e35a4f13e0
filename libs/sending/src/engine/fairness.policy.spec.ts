import * as fc from 'fast-check';
import { jainIndex } from './fairness.policy';

describe('the index of fairness', () => {
  it.each([
    ['everybody gets the same', [5, 5, 5], 1],
    ['one of four gets everything', [8, 0, 0, 0], 0.25],
    ['one gets twice as much', [2, 1], 0.9],
  ])('when %s', (_what, shares, index) => {
    expect(jainIndex(shares)).toBeCloseTo(index, 12);
  });

  it('says nothing of one tenant, or of nobody served', () => {
    expect(jainIndex([3])).toBeUndefined();
    expect(jainIndex([0, 0])).toBeUndefined();
  });

  it('lies between 1/n and 1, whatever was served', () => {
    const shares = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(shares, (list) => {
        const index = jainIndex(list);
        if (index === undefined) return;
        expect(index).toBeGreaterThanOrEqual(1 / list.length - 1e-9);
        expect(index).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });
});
