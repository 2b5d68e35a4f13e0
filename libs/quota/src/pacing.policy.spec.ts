import fc from 'fast-check';
import { pacedRate, parseRate, sliceMs } from './pacing.policy';

describe('pacing', () => {
  it.each([
    ['14.000', 14_000],
    ['0.5', 500],
    ['1', 1_000],
    ['90.12345', 90_123],
  ])('reads %s as thousandths', (text, num) => {
    expect(parseRate(text)).toEqual({ num, den: 1000 });
  });

  it.each(['', '-1', '1e3', 'NaN', '1.', ' 1'])('refuses "%s"', (text) => {
    expect(() => parseRate(text)).toThrow(RangeError);
  });

  it('never paces above what SES allows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (num) => {
        const paced = pacedRate({ num, den: 1000 });
        const [ours, theirs] = [BigInt(paced.num) * 1000n, BigInt(num) * BigInt(paced.den)];
        return ours < theirs && ours * 10n >= theirs * 9n;
      }),
    );
  });

  it('leaves a tenth of a second of jitter at one recipient a second', () => {
    const { num, den } = pacedRate(parseRate('1'));
    expect((1000 * den) / num).toBeCloseTo(1111.1, 1);
  });

  it.each([
    ['2000', 100, 100],
    ['250', 800, 200],
    ['100', 1000, 500],
    ['32', 1000, 1000],
    ['16', 2000, 1000],
    ['8', 4000, 1000],
    ['0.5', 4000, 1000],
    ['0', 1000, 1000],
  ])('makes slices for a rate of %s last %d ms, %d while somebody notices', (text, expected, noticed) => {
    expect(sliceMs(parseRate(text), false)).toBe(expected);
    expect(sliceMs(parseRate(text), true)).toBe(noticed);
  });
});
