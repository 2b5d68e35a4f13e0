import { newId } from '@libs/kernel';
import { daySuffixOf } from './day-suffix.policy';

const idAt = (time: number) => {
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}${newId().slice(13)}`;
};

describe('the suffix of the tables of a day', () => {
  it('is the day in UTC that the id was made on, to the millisecond', () => {
    expect(daySuffixOf(idAt(Date.UTC(2026, 10, 22)))).toBe('_p20261122');
    expect(daySuffixOf(idAt(Date.UTC(2026, 10, 22) - 1))).toBe('_p20261121');
    expect(daySuffixOf(idAt(Date.UTC(2026, 10, 22, 23, 59, 59, 999)))).toBe('_p20261122');
    expect(daySuffixOf(idAt(Date.UTC(2028, 1, 29, 12)))).toBe('_p20280229');
  });

  it('is none for an id without a time or with one beyond all calendars', () => {
    expect(daySuffixOf('')).toBe('');
    expect(daySuffixOf('no uuid')).toBe('');
    expect(daySuffixOf('ffffffff-ffff-7000-8000-000000000000')).toBe('');
  });
});
