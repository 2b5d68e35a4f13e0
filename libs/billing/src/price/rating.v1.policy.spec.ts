import fc from 'fast-check';
import { rateMonth, type Charge, type RatedSegment } from './rating.v1.policy';

const month = { from: new Date('2026-11-01T00:00:00Z'), to: new Date('2026-12-01T00:00:00Z') };
const day = (date: string) => new Date(`2026-11-${date}T00:00:00Z`);

const growth: RatedSegment = {
  planId: 'growth',
  planName: 'Growth',
  priceId: '1',
  ...month,
  baseFeeMicro: 99_000_000n,
  includedRecipients: 100_000n,
  overage: [
    { from: 0n, amountMicro: 400_000n, perUnits: 1_000n },
    { from: 1_000_000n, amountMicro: 250_000n, perUnits: 1_000n },
  ],
  dedicatedIpFeeMicro: 39_000_000n,
  minimumMicro: 0n,
  recipients: 0n,
  ipMs: 0n,
};
const total = (charges: readonly Charge[]) => charges.reduce((sum, charge) => sum + charge.amountMicro, 0n);
const shown = (charges: readonly Charge[]) => charges.map((one) => [one.sku, one.quantity, one.amountMicro]);
const price = (segments: readonly RatedSegment[]) => total(rateMonth(month, segments));

describe('the price of a month', () => {
  it('is the fee, whole, when nothing is used above the inclusion', () => {
    expect(shown(rateMonth(month, [{ ...growth, recipients: 100_000n }]))).toEqual([
      ['plan.base_fee', 2_592_000_000n, 99_000_000n],
      ['plan.included_recipients', 100_000n, 0n],
    ]);
  });

  it('climbs marginal tiers above the inclusion, one line each', () => {
    expect(shown(rateMonth(month, [{ ...growth, recipients: 1_350_000n }])).slice(1)).toEqual([
      ['plan.included_recipients', 100_000n, 0n],
      ['plan.recipients', 1_000_000n, 400_000_000n],
      ['plan.recipients', 250_000n, 62_500_000n],
    ]);
  });

  it('shows recipients of a plan without a price for them, at nothing', () => {
    const charges = rateMonth(month, [
      { ...growth, baseFeeMicro: 0n, includedRecipients: 0n, overage: [], recipients: 7n },
    ]);
    expect(shown(charges)).toEqual([['plan.recipients', 7n, 0n]]);
  });

  it('is nothing, without a line, when there is neither usage nor fee', () => {
    expect(rateMonth(month, [{ ...growth, baseFeeMicro: 0n }])).toEqual([]);
    expect(rateMonth(month, [])).toEqual([]);
  });

  it('takes fee and inclusion by the share of the month', () => {
    const half = { ...growth, from: day('16'), recipients: 50_001n };
    expect(shown(rateMonth(month, [half]))).toEqual([
      ['plan.base_fee', 1_296_000_000n, 49_500_000n],
      ['plan.included_recipients', 50_000n, 0n],
      ['plan.recipients', 1n, 400n],
    ]);
  });

  it('gives a part of an included recipient whole', () => {
    const third = { ...growth, includedRecipients: 1n, from: day('21'), recipients: 1n };
    expect(rateMonth(month, [third]).map((one) => one.sku)).toEqual(['plan.base_fee', 'plan.included_recipients']);
  });

  it('counts inclusion and tiers across versions of one plan’s price, and prices what is above by the one in force then', () => {
    const before = { ...growth, to: day('16'), recipients: 600_000n };
    const after = {
      ...growth,
      priceId: '2',
      from: day('16'),
      recipients: 700_000n,
      overage: growth.overage.map((tier) => ({ ...tier, amountMicro: tier.amountMicro * 2n })),
    };
    const charges = rateMonth(month, [before, after]);
    expect(charges.map((one) => [one.sku, one.quantity, one.amountMicro, one.priceIds])).toEqual([
      ['plan.base_fee', 1_296_000_000n, 49_500_000n, ['1']],
      ['plan.base_fee', 1_296_000_000n, 49_500_000n, ['2']],
      ['plan.included_recipients', 100_000n, 0n, ['1', '2']],
      ['plan.recipients', 500_000n, 200_000_000n, ['1']],
      ['plan.recipients', 500_000n, 400_000_000n, ['2']],
      ['plan.recipients', 200_000n, 100_000_000n, ['2']],
    ]);
  });

  it('counts inclusion and tiers anew on another plan', () => {
    const start = { ...growth, to: day('16'), recipients: 50_000n };
    const premium = { ...start, planId: 'premium', from: day('16'), to: month.to };
    expect(shown(rateMonth(month, [start, premium])).filter(([sku]) => sku === 'plan.recipients')).toEqual([]);
    expect(price([start, premium])).toBe(99_000_000n);
  });

  it('charges dedicated IPs by the millisecond: a whole month costs exactly the fee', () => {
    const ms = 2_592_000_000n;
    expect(shown(rateMonth(month, [{ ...growth, ipMs: 2n * ms + ms / 2n }]))[1]).toEqual([
      'plan.dedicated_ip',
      6_480_000_000n,
      97_500_000n,
    ]);
  });

  it('is never below the minimum, by the share of the month, and not above it for that reason', () => {
    const floor = { ...growth, minimumMicro: 150_000_000n };
    expect(shown(rateMonth(month, [floor]))[1]).toEqual(['plan.minimum', 1n, 51_000_000n]);
    expect(price([{ ...floor, from: day('16') }])).toBe(75_000_000n);
    expect(price([{ ...floor, recipients: 300_000n }])).toBe(179_000_000n);
  });

  it('lets late corrections below zero reduce what comes after them', () => {
    const first = { ...growth, to: day('16'), recipients: -10n, includedRecipients: 0n };
    const second = { ...growth, priceId: '2', from: day('16'), recipients: 15n, includedRecipients: 0n };
    expect(shown(rateMonth(month, [first, second])).at(-1)).toEqual(['plan.recipients', 5n, 2_000n]);
  });

  it('cites the version of the price and the method on every line', () => {
    const charges = rateMonth(month, [{ ...growth, recipients: 2_000_000n, ipMs: 5n, minimumMicro: 10n ** 10n }]);
    expect(new Set(charges.map((charge) => charge.sku)).size).toBe(5);
    for (const charge of charges) {
      expect(charge.priceIds).toEqual(['1']);
      expect(charge.method).toMatch(/^[a-z-]+\/[a-z-]+@\d+$/);
    }
  });

  const count = (max: bigint) => fc.bigInt({ min: 0n, max });
  const tiers = fc.uniqueArray(count(5_000n), { maxLength: 4 }).chain((from) =>
    fc
      .array(fc.tuple(count(900n), fc.bigInt({ min: 1n, max: 1_000n })), {
        minLength: from.length + 1,
        maxLength: from.length + 1,
      })
      .map((rates) =>
        [...new Set([0n, ...from])]
          .sort((a, b) => (a < b ? -1 : 1))
          .map((start, index) => ({ from: start, amountMicro: rates[index]![0], perUnits: rates[index]![1] })),
      ),
  );
  const anySegment: fc.Arbitrary<RatedSegment> = fc
    .record({
      baseFeeMicro: count(1_000n),
      includedRecipients: count(3_000n),
      overage: tiers,
      minimumMicro: count(5_000n),
      recipients: count(9_000n),
      ipMs: count(10n ** 10n),
    })
    .map((some) => ({ ...growth, ...some }));

  it('is never lowered by more usage when no tier is negative', () => {
    fc.assert(
      fc.property(anySegment, count(5_000n), count(10n ** 9n), (segment, more, moreIp) => {
        const grown = { ...segment, recipients: segment.recipients + more, ipMs: segment.ipMs + moreIp };
        expect(price([grown])).toBeGreaterThanOrEqual(price([segment]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('may be lowered by usage in a negative tier: the property above can fail', () => {
    const rebate = { ...growth, includedRecipients: 0n, overage: [{ from: 0n, amountMicro: -1n, perUnits: 1n }] };
    expect(price([{ ...rebate, recipients: 2n }])).toBeLessThan(price([rebate]));
  });

  it('counts every recipient exactly once, and is within one micro-dollar a line of the exact price', () => {
    fc.assert(
      fc.property(anySegment, (segment) => {
        const charges = rateMonth(month, [{ ...segment, minimumMicro: 0n }]);
        const counted = charges.filter((one) => one.unit === 'recipient').reduce((sum, one) => sum + one.quantity, 0n);
        expect(counted).toBe(segment.recipients);
        for (const { rate, quantity, amountMicro } of charges) {
          if (!rate) continue;
          const off = 2n * (amountMicro * rate.perUnits - quantity * rate.amountMicro);
          expect(off <= rate.perUnits && off >= -rate.perUnits).toBe(true);
        }
      }),
    );
  });

  it('does not change, but for rounding, when the same price is published again in mid-month', () => {
    fc.assert(
      fc.property(anySegment, fc.integer({ min: 1, max: 29 }), count(9_000n), (segment, at, early) => {
        const used = segment.recipients < early ? segment.recipients : early;
        const moment = new Date(month.from.getTime() + at * 86_400_000);
        const cut = [
          { ...segment, to: moment, recipients: used, ipMs: 0n },
          { ...segment, priceId: '2', from: moment, recipients: segment.recipients - used },
        ];
        const difference = price(cut) - price([segment]);
        expect(difference >= -6n && difference <= 6n).toBe(true);
      }),
    );
  });
});
