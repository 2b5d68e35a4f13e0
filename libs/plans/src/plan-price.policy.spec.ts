import type { PlanId } from '@libs/kernel';
import fc from 'fast-check';
import { FREE, priceIssues, successionIssues, type PriceTerms } from './plan-price.policy';

const tier = (from: bigint, amountMicro: bigint, perUnits = 1_000n) => ({ from, amountMicro, perUnits });
const valid: PriceTerms = {
  baseFeeMicro: 99_000_000n,
  includedRecipients: 100_000n,
  overage: [tier(0n, 400_000n), tier(1_000_000n, 300_000n)],
  dedicatedIpFeeMicro: 39_000_000n,
  minimumMicro: 0n,
  monotone: true,
};

describe('the price of a plan', () => {
  it('is published when every field is right, also when everything is free', () => {
    expect(priceIssues(valid)).toEqual([]);
    expect(priceIssues(FREE)).toEqual([]);
  });

  it.each<[string, Partial<PriceTerms>, string[]]>([
    ['a negative fee', { baseFeeMicro: -1n }, ['baseFeeMicro']],
    ['a fee above a million dollars', { baseFeeMicro: 10n ** 12n + 1n }, ['baseFeeMicro']],
    ['a negative fee of an IP', { dedicatedIpFeeMicro: -1n }, ['dedicatedIpFeeMicro']],
    ['a negative minimum', { minimumMicro: -1n }, ['minimumMicro']],
    ['a negative inclusion', { includedRecipients: -1n }, ['includedRecipients']],
    ['a first tier above 0', { overage: [tier(1n, 1n)] }, ['overage', '0', 'from']],
    ['tiers out of order', { overage: [tier(0n, 1n), tier(9n, 1n), tier(9n, 1n)] }, ['overage', '2', 'from']],
    ['a price for no unit', { overage: [tier(0n, 1n, 0n)] }, ['overage', '0', 'perUnits']],
    ['a rebate in a monotone price', { overage: [tier(0n, 1n), tier(9n, -1n)] }, ['overage', '1', 'amountMicro']],
    ['an amount nobody means', { overage: [tier(0n, 10n ** 13n)] }, ['overage', '0', 'amountMicro']],
    ['too many tiers', { overage: Array.from({ length: 21 }, (_, i) => tier(BigInt(i), 1n)) }, ['overage']],
  ])('is refused with %s, naming the field', (_, change, path) => {
    expect(priceIssues({ ...valid, ...change })).toMatchObject([{ code: 'INVALID_INPUT', path }]);
  });

  it('may fall with volume when it does not promise to be monotone', () => {
    expect(priceIssues({ ...valid, monotone: false, overage: [tier(0n, 1n), tier(9n, -1n)] })).toEqual([]);
  });

  it('is told every wrong field at once', () => {
    fc.assert(
      fc.property(
        fc.subarray(['baseFeeMicro', 'dedicatedIpFeeMicro', 'minimumMicro', 'includedRecipients'] as const),
        (fields) => {
          const wrong = { ...valid, ...Object.fromEntries(fields.map((field) => [field, -1n])) };
          expect(priceIssues(wrong).map((issue) => issue.path?.[0])).toEqual(fields);
        },
      ),
    );
  });
});

describe('the next price of a plan', () => {
  const now = new Date('2026-11-22T12:00:00Z');
  const begun = (validFrom: string) => ({
    ...valid,
    id: 1n,
    planId: 'p' as PlanId,
    validFrom: new Date(validFrom),
    validTo: null,
    source: 's',
  });

  it.each([
    ['2026-11-22T12:00:00.000Z', '2026-01-01T00:00:00Z', undefined],
    ['2026-11-22T11:59:59.999Z', '2026-01-01T00:00:00Z', 'INVALID_INPUT'],
    ['2026-12-01T00:00:00.000Z', '2026-12-01T00:00:00Z', 'CONFLICT'],
    ['2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00Z', 'CONFLICT'],
    ['2027-01-01T00:00:00.001Z', '2027-01-01T00:00:00Z', undefined],
    ['no time', '2027-01-01T00:00:00Z', 'INVALID_INPUT'],
  ])('from %s after one from %s: %s', (validFrom, latest, code) => {
    const issues = successionIssues(new Date(validFrom), begun(latest), now);
    expect(issues.map((issue) => [issue.code, issue.path])).toEqual(code === undefined ? [] : [[code, ['validFrom']]]);
  });

  it('may be the first one', () => {
    expect(successionIssues(now, undefined, now)).toEqual([]);
  });
});
