import fc from 'fast-check';
import { exactToMicro, exactToUnits, formatExact, parseExact, roundTogether } from './exact-decimal.policy';

const exact = (text: string) => {
  const value = parseExact(text);
  if (value === undefined) throw new Error(`not a decimal: ${text}`);
  return value;
};

describe('an exact decimal', () => {
  it.each([
    ['0.0001000000', '0.0001'],
    ['-12.5', '-12.5'],
    ['1E-7', '0.0000001'],
    ['1.25e3', '1250'],
    ['+3', '3'],
    ['.5', '0.5'],
    ['7.', '7'],
    ['0.0000000000000000000000000000000000000001', '0.0000000000000000000000000000000000000001'],
  ])('reads %s', (text, plain) => {
    expect(formatExact(exact(text))).toBe(plain);
  });

  it.each(['', '-', '.', 'NaN', '1,5', '0x10', ' 1', '1e', '1e-41', '1.2.3', 'Infinity', '1e9999'])(
    'refuses "%s" instead of guessing',
    (text) => {
      expect(parseExact(text)).toBeUndefined();
    },
  );

  it('survives a round trip, whatever the number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }), (value) => {
        expect(exact(formatExact(value))).toBe(value);
      }),
    );
  });

  it('is rounded half to even, once', () => {
    expect(exactToMicro(exact('0.0000005'))).toBe(0n);
    expect(exactToMicro(exact('0.0000015'))).toBe(2n);
    expect(exactToUnits(exact('744'), 3_600_000n)).toBe(2_678_400_000n);
    expect(exactToUnits(exact('0.5'), 1n)).toBe(0n);
  });

  it('adds up to the rounded sum when many are rounded together, each by less than a micro-dollar', () => {
    const amount = fc.bigInt({ min: -(10n ** 42n), max: 10n ** 42n });
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 30 }), (amounts) => {
        const { parts, total } = roundTogether(amounts);
        expect(total).toBe(exactToMicro(amounts.reduce((sum, one) => sum + one, 0n)));
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(total);
        for (const [index, part] of parts.entries()) {
          const off = part * 10n ** 34n - (amounts[index] ?? 0n);
          expect(off > -(10n ** 34n) && off < 10n ** 34n).toBe(true);
        }
      }),
    );
  });
});
