import { DateTime } from './scalars';

describe('a DateTime', () => {
  it.each([
    ['2026-11-22T09:41:00Z', '2026-11-22T09:41:00.000Z'],
    ['2026-11-22T09:41:00.123456789+05:30', '2026-11-22T04:11:00.123Z'],
    ['2028-02-29T23:59:59-12:00', '2028-03-01T11:59:59.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
  ])('is a moment with a time zone: %s', (text, moment) => {
    expect(DateTime.parseValue(text).toISOString()).toBe(moment);
  });

  it.each(['2026-02-29T00:00:00Z', '2026-02-30T12:00:00+02:00', '2027-04-31T00:00:00Z'])(
    'is never a day that the calendar does not have, nor the one after it: %s',
    (text) => {
      expect(() => DateTime.parseValue(text)).toThrow(`there is no ${text.slice(0, 10)} in the calendar`);
    },
  );

  it.each([
    '2026-11-22',
    '2026-11-22T09:41:00',
    '2026-11-22 09:41:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-00T00:00:00Z',
    '2026-11-22T24:00:00Z',
    '2026-11-22T09:60:00Z',
    '2026-11-22T09:41:00+99:99',
    '+010000-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    1_795_395_043,
  ])('is nothing else: %j', (value) => {
    expect(() => DateTime.parseValue(value)).toThrow('DateTime must');
  });
});
