import fc from 'fast-check';
import { divideHalfEven, formatUsd, parseUsd, priceOf } from './money';

const amount = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n });
const positive = fc.bigInt({ min: 1n, max: 10n ** 12n });

describe('divideHalfEven', () => {
  it.each([
    [5n, 2n, 2n],
    [7n, 2n, 4n],
    [-5n, 2n, -2n],
    [-7n, 2n, -4n],
    [1n, 3n, 0n],
    [2n, 3n, 1n],
    [0n, 9n, 0n],
  ])('rounds %s / %s to %s', (numerator, denominator, expected) => {
    expect(divideHalfEven(numerator, denominator)).toBe(expected);
  });

  it('is never further than half a unit from the exact quotient, and even on a tie', () => {
    fc.assert(
      fc.property(amount, positive, (numerator, denominator) => {
        const quotient = divideHalfEven(numerator, denominator);
        const twiceOff = 2n * (numerator - quotient * denominator);
        const off = twiceOff < 0n ? -twiceOff : twiceOff;
        expect(off <= denominator).toBe(true);
        if (off === denominator) expect(quotient % 2n).toBe(0n);
      }),
    );
  });

  it('refuses a denominator that is not positive', () => {
    expect(() => divideHalfEven(1n, 0n)).toThrow(RangeError);
  });
});

describe('priceOf', () => {
  it('prices the 1.5 million mails of a month at 0.10 a thousand as 150 dollars', () => {
    expect(priceOf(1_500_000n, { micro: 100_000n, per: 1_000n })).toBe(150_000_000n);
  });
});

describe('formatUsd and parseUsd', () => {
  it('are each other’s inverse', () => {
    fc.assert(
      fc.property(amount, (micro) => {
        expect(parseUsd(formatUsd(micro))).toBe(micro);
      }),
    );
  });

  it.each(['', '1,5', '1.2345678', '1e3', ' 1', '.5', 'NaN', '--1'])('refuses %j', (text) => {
    expect(() => parseUsd(text)).toThrow(RangeError);
  });
});
