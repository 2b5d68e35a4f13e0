import type { TenantId } from '@libs/kernel';
import fc from 'fast-check';
import { allocate, IDLE, PLATFORM, type Bearer } from './allocation.policy';

const bearer = fc.oneof(
  fc.constantFrom<Bearer>(IDLE, PLATFORM),
  fc.uuid().map((id) => id as TenantId),
);
const weights = fc
  .array(fc.tuple(bearer, fc.bigInt({ min: 0n, max: 10n ** 15n })), { maxLength: 30 })
  .map((pairs) => new Map(pairs));
const amount = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n });
const sum = (parts: Iterable<bigint>) => [...parts].reduce((total, part) => total + part, 0n);
const size = (value: bigint) => (value < 0n ? -value : value);

describe('an allocation', () => {
  it('adds up to the amount, to the micro-dollar', () => {
    fc.assert(fc.property(amount, weights, (whole, given) => sum(allocate(whole, given).values()) === whole));
  });

  it('is less than one micro-dollar from the exact share of everybody', () => {
    fc.assert(
      fc.property(amount, weights, (whole, given) => {
        const total = sum(given.values());
        fc.pre(total > 0n);
        const parts = allocate(whole, given);
        for (const [name, weight] of given) {
          expect(size((parts.get(name) ?? 0n) * total - whole * weight)).toBeLessThan(total);
        }
      }),
    );
  });

  it('gives equal weights parts that differ by at most one', () => {
    fc.assert(
      fc.property(amount, weights, fc.bigInt({ min: 1n, max: 10n ** 9n }), (whole, given, weight) => {
        fc.pre(given.size > 0);
        const parts = [...allocate(whole, new Map([...given.keys()].map((name) => [name, weight]))).values()].map(size);
        const [least, most] = [parts.reduce((a, b) => (a < b ? a : b)), parts.reduce((a, b) => (a > b ? a : b))];
        expect(most - least).toBeLessThanOrEqual(1n);
      }),
    );
  });

  it('does not depend on the order of those who share', () => {
    fc.assert(
      fc.property(
        amount,
        weights.chain((given) =>
          fc.tuple(fc.constant(given), fc.shuffledSubarray([...given], { minLength: given.size })),
        ),
        (whole, [given, shuffled]) => {
          expect(new Map([...allocate(whole, new Map(shuffled))].sort())).toEqual(
            new Map([...allocate(whole, given)].sort()),
          );
        },
      ),
    );
  });

  it('is the same with and without somebody of weight zero', () => {
    fc.assert(
      fc.property(amount, weights, fc.uuid(), (whole, given, id) => {
        fc.pre(!given.has(id as TenantId));
        expect(allocate(whole, new Map([[id as TenantId, 0n], ...given]))).toEqual(allocate(whole, given));
      }),
    );
  });

  it('depends on proportions only', () => {
    fc.assert(
      fc.property(amount, weights, fc.bigInt({ min: 1n, max: 1_000n }), (whole, given, factor) => {
        const scaled = new Map([...given].map(([name, weight]) => [name, weight * factor]));
        expect(allocate(whole, scaled)).toEqual(allocate(whole, given));
      }),
    );
  });

  it('leaves everything idle when nobody used anything', () => {
    expect(allocate(24_950_000n, new Map())).toEqual(new Map([[IDLE, 24_950_000n]]));
    expect(allocate(7n, new Map([[PLATFORM, 0n]]))).toEqual(new Map([[IDLE, 7n]]));
  });

  it('gives what is left over to the largest remainder, then by name', () => {
    const [a, b, c] = ['a', 'b', 'c'] as unknown as [TenantId, TenantId, TenantId];
    expect(
      allocate(
        10n,
        new Map([
          [c, 1n],
          [b, 1n],
          [a, 1n],
        ]),
      ),
    ).toEqual(
      new Map([
        [a, 4n],
        [b, 3n],
        [c, 3n],
      ]),
    );
    expect(
      allocate(
        10n,
        new Map([
          [a, 1n],
          [b, 5n],
        ]),
      ).get(a),
    ).toBe(2n);
  });

  it('agrees 20,000 times with an oracle that hands out units one by one', () => {
    // Unit after unit to whoever is furthest behind the exact share, but nobody beyond the next whole unit.
    const oracle = (whole: bigint, given: ReadonlyMap<Bearer, bigint>) => {
      const total = sum(given.values());
      if (total === 0n) return new Map([[IDLE, whole]]);
      const sign = whole < 0n ? -1n : 1n;
      const parts = new Map([...given].filter(([, weight]) => weight > 0n).map(([name]) => [name, 0n]));
      for (let unit = 0n; unit < size(whole); unit += 1n) {
        const behind = (name: Bearer) => size(whole) * (given.get(name) ?? 0n) - (parts.get(name) ?? 0n) * total;
        const next = [...parts.keys()].reduce((best, name) => {
          const [a, b] = [behind(best), behind(name)];
          // Whole units that are due come first; what is left goes by the size of the remainder.
          if (a >= total || b >= total) return b >= total && a < total ? name : best;
          return b > a || (b === a && name < best) ? name : best;
        });
        parts.set(next, (parts.get(next) ?? 0n) + 1n);
      }
      return new Map([...parts].map(([name, part]) => [name, part * sign]));
    };
    const names = ['__idle__', '__platform__', 'a', 'b', 'c', 'd'] as Bearer[];
    const few = fc
      .array(fc.tuple(fc.constantFrom(...names), fc.bigInt({ min: 0n, max: 40n })), { maxLength: 6 })
      .map((pairs) => new Map(pairs));
    let compared = 0;
    fc.assert(
      fc.property(fc.bigInt({ min: -60n, max: 60n }), few, (whole, given) => {
        compared += 1;
        expect(new Map([...allocate(whole, given)].sort())).toEqual(new Map([...oracle(whole, given)].sort()));
      }),
      { numRuns: 20_000 },
    );
    expect(compared).toBeGreaterThanOrEqual(20_000);
  });

  it('refuses a negative weight', () => {
    expect(() => allocate(1n, new Map([[PLATFORM, -1n]]))).toThrow(RangeError);
  });
});
