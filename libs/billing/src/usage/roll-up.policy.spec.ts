import { bookingPeriod, byDays, isDueAgain, nextDay, spanOfDay, watermark } from './roll-up.policy';

const at = (text: string) => new Date(`${text}Z`);
const day = '2026-11-20';

describe('a day of usage', () => {
  it.each(['2026-11-31', '2026-13-01', '26-11-20', '2026-11-20T00:00:00Z', ''])('is not %j', (text) => {
    expect(() => spanOfDay(text)).toThrow('YYYY-MM-DD');
  });

  it('goes from midnight to midnight in UTC', () => {
    expect(spanOfDay('2028-02-29')).toEqual({ from: at('2028-02-29T00:00:00'), to: at('2028-03-01T00:00:00') });
    expect(nextDay('2026-12-31')).toBe('2027-01-01');
  });

  it.each([
    ['2026-11-20T23:59:59', 'running'],
    ['2026-11-21T01:59:59.999', 'running'],
    ['2026-11-21T02:00:00', 'settling'],
    ['2026-11-21T23:59:59.999', 'settling'],
    ['2026-11-22T00:00:00', 'ready'],
  ])('is, at %s, %s', (now, state) => {
    expect(watermark(day, at(now))).toBe(state);
  });

  it.each([
    // counted at, in doubt, now, due
    ['2026-11-21T02:00:00', 0n, '2026-11-22T01:59:59', false],
    ['2026-11-21T02:00:00', 0n, '2026-11-22T02:00:00', true],
    ['2026-11-22T02:00:00', 0n, '2026-11-29T23:59:59', false],
    ['2026-11-22T02:00:00', 0n, '2026-11-30T00:00:00', true],
    ['2026-11-30T00:00:00', 0n, '2027-11-30T00:00:00', false],
    ['2026-11-22T02:00:00', 1n, '2026-11-23T01:59:59', false],
    ['2026-11-22T02:00:00', 1n, '2026-11-23T02:00:00', true],
  ])('counted at %s with %s in doubt is at %s due again: %s', (rolledAt, inDoubt, now, due) => {
    expect(isDueAgain({ day, rolledAt: at(rolledAt), inDoubt }, at(now))).toBe(due);
  });

  it('is billed in its own month, or in the first one after it that is not final', () => {
    expect(bookingPeriod(day, new Set())).toBe('2026-11');
    expect(bookingPeriod(day, new Set(['2026-10', '2026-12']))).toBe('2026-11');
    expect(bookingPeriod(day, new Set(['2026-11', '2026-12']))).toBe('2027-01');
  });

  it('is taken whole from what is counted, and the rest of a span as it is', () => {
    const span = { from: at('2026-11-19T06:00:00'), to: at('2026-11-23T18:00:00') };
    expect(byDays(span, new Set(['2026-11-19', day, '2026-11-22', '2026-11-23']))).toEqual({
      days: [day, '2026-11-22'],
      rest: [
        { from: span.from, to: at('2026-11-20T00:00:00') },
        { from: at('2026-11-21T00:00:00'), to: at('2026-11-22T00:00:00') },
        { from: at('2026-11-23T00:00:00'), to: span.to },
      ],
    });
    expect(byDays(span, new Set())).toEqual({ days: [], rest: [span] });
  });
});
