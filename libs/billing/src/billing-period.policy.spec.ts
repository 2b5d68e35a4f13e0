import { DomainError } from '@libs/kernel';
import fc from 'fast-check';
import { cutAt, parsePeriod, sharedMs } from './billing-period.policy';

describe('a period', () => {
  it.each([
    ['2026-11', '2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
    ['2026-12', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2028-02', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
  ])('%s goes from its first moment to the first of the next month', (name, start, end) => {
    expect(parsePeriod(name)).toEqual({ name, start: new Date(start), end: new Date(end) });
  });

  it.each(['', '2026', '2026-1', '2026-13', '2026-00', '2026-11-01', '1999-11', "2026-11'", ' 2026-11', '２０２６-11'])(
    'is not %j, and the refusal names the field',
    (name) => {
      let refusal: unknown;
      try {
        parsePeriod(name);
      } catch (error) {
        refusal = error;
      }
      expect(refusal).toBeInstanceOf(DomainError);
      expect((refusal as DomainError).issues).toMatchObject([{ code: 'INVALID_INPUT', path: ['period'] }]);
    },
  );

  it('is cut without gaps or overlaps, whatever the moments', () => {
    const { start, end } = parsePeriod('2026-11');
    const moment = fc.date({
      min: new Date('2026-10-25T00:00:00Z'),
      max: new Date('2026-12-05T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(fc.array(moment), (moments) => {
        const spans = cutAt(
          { from: start, to: end },
          [...moments].sort((a, b) => a.getTime() - b.getTime()),
        );
        expect(spans[0]?.from).toEqual(start);
        expect(spans.at(-1)?.to).toEqual(end);
        spans.forEach((span, index) => {
          expect(span.to > span.from).toBe(true);
          if (index > 0) expect(span.from).toEqual(spans[index - 1]?.to);
        });
      }),
    );
  });

  it('shares with another span the time that is in both', () => {
    const span = (from: string, to: string) => ({ from: new Date(from), to: new Date(to) });
    const month = span('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z');
    expect(sharedMs(month, month)).toBe(30n * 24n * 3_600_000n);
    expect(sharedMs(month, span('2026-10-31T23:00:00Z', '2026-11-01T00:00:00.001Z'))).toBe(1n);
    expect(sharedMs(month, span('2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'))).toBe(0n);
  });
});
