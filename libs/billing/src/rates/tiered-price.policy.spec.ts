import { priceOf } from '@libs/kernel';
import fc from 'fast-check';
import type { CardRate } from './rate-card.policy';
import { tieredPrice } from './tiered-price.policy';

const tier = (tierFrom: bigint, amountMicro: bigint, perUnits = 1_000n): CardRate => ({
  card: 'card',
  sku: 'sku',
  tierFrom,
  amountMicro,
  perUnits,
  validFrom: new Date(0),
  validTo: null,
  source: 'test',
});
const essentials: [CardRate, ...CardRate[]] = [
  tier(0n, 160_000n),
  tier(10_000_000n, 140_000n),
  tier(100_000_000n, 110_000n),
];
const quantity = fc.bigInt({ min: 0n, max: 10n ** 9n });

describe('a tiered price', () => {
  it.each<[bigint, bigint, bigint]>([
    [0n, 0n, 0n],
    [0n, 1n, 160n],
    [0n, 10_000_000n, 1_600_000_000n],
    [0n, 10_000_001n, 1_600_000_140n],
    [0n, 100_000_000n, 14_200_000_000n],
    [0n, 200_000_000n, 25_200_000_000n],
    [9_999_999n, 2n, 300n],
    [150_000_000n, 1_000n, 110_000n],
  ])('after %s units costs, for %s more, %s micro-dollars', (before, more, cost) => {
    expect(tieredPrice(before, more, essentials).costMicro).toBe(cost);
  });

  it('is what each unit costs on its own tier', () => {
    const small: [CardRate, ...CardRate[]] = [tier(0n, 7n, 1n), tier(3n, 5n, 1n), tier(8n, 2n, 1n)];
    for (let before = 0n; before < 12n; before += 1n) {
      for (let more = 0n; more < 12n; more += 1n) {
        let units = 0n;
        for (let unit = before; unit < before + more; unit += 1n) units += unit < 3n ? 7n : unit < 8n ? 5n : 2n;
        expect(tieredPrice(before, more, small).costMicro).toBe(units);
      }
    }
  });

  it('never falls with more usage', () => {
    fc.assert(
      fc.property(quantity, quantity, (some, more) => {
        const less = tieredPrice(0n, some, essentials).costMicro;
        expect(tieredPrice(0n, some + more, essentials).costMicro).toBeGreaterThanOrEqual(less);
      }),
    );
  });

  it('does not depend on how a month is cut', () => {
    fc.assert(
      fc.property(quantity, quantity, (some, more) => {
        const whole = tieredPrice(0n, some + more, essentials).costMicro;
        const parts = tieredPrice(0n, some, essentials).costMicro + tieredPrice(some, more, essentials).costMicro;
        expect(parts).toBe(whole); // these rates are whole micro-dollars a unit, so nothing is rounded
      }),
    );
  });

  it('of one tier is quantity times price', () => {
    fc.assert(
      fc.property(
        quantity,
        fc.bigInt({ min: 1n, max: 10n ** 9n }),
        fc.bigInt({ min: 1n, max: 10n ** 9n }),
        (n, a, per) => {
          expect(tieredPrice(0n, n, [tier(0n, a, per)]).costMicro).toBe(priceOf(n, { micro: a, per }));
        },
      ),
    );
  });

  it('cites the tiers it used, and the first when there was nothing to price', () => {
    expect(tieredPrice(5_000_000n, 10_000_000n, essentials).cited).toEqual(essentials.slice(0, 2));
    expect(tieredPrice(0n, 0n, essentials).cited).toEqual([essentials[0]]);
  });
});
