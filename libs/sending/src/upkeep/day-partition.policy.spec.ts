import fc from 'fast-check';
import { dayAt, dayOfId, daysBefore, droppableBefore, firstIdOf } from './day-partition.policy';

describe('days and ids', () => {
  it('knows the day of an id, up to the last millisecond before midnight', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_500_000_000_000, max: 4_000_000_000_000 }), fc.nat(0xffffff), (ms, rest) => {
        const hex = ms.toString(16).padStart(12, '0');
        const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${rest.toString(16).padStart(12, '0')}`;
        expect(dayOfId(id)).toBe(dayAt(ms));
        expect(firstIdOf(dayAt(ms)) <= id).toBe(true);
        expect(id < firstIdOf(daysBefore(dayAt(ms), -1))).toBe(true);
      }),
    );
  });

  it('counts days over the ends of months and years', () => {
    expect(daysBefore('2027-01-01', 1)).toBe('2026-12-31');
    expect(daysBefore('2028-03-01', 1)).toBe('2028-02-29');
    expect(daysBefore('2026-11-22', -7)).toBe('2026-11-29');
  });
});

describe('what may be dropped', () => {
  it('is what is older than its time, and never a day with a message that is still to be sent', () => {
    expect(droppableBefore('2026-11-22', 7, undefined)).toBe('2026-11-15');
    expect(droppableBefore('2026-11-22', 7, firstIdOf('2026-11-20'))).toBe('2026-11-15');
    expect(droppableBefore('2026-11-22', 7, firstIdOf('2026-11-15'))).toBe('2026-11-15');
    expect(droppableBefore('2026-11-22', 7, firstIdOf('2026-11-03'))).toBe('2026-11-03');
  });
});
