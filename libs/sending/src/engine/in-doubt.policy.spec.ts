import fc from 'fast-check';
import { isSilent, resolveDoubt, type Doubt, type Watermark } from './in-doubt.policy';

const HOUR = 3_600_000;
const NOBODY: Watermark = { setSent: 0, setConfirmed: 0, accountSent: 0, accountConfirmed: 0 };

const doubt = (changes: Partial<Omit<Doubt, 'watermark'>> & Partial<Watermark> = {}): Doubt => {
  const { policy = 'AT_LEAST_ONCE', ageMs = 100_000, leftMs = HOUR, waitMs = 90_000, ...watermark } = changes;
  return { policy, ageMs, leftMs, waitMs, watermark: { ...NOBODY, ...watermark } };
};

const ALL = { setSent: 50, setConfirmed: 50, accountSent: 50, accountConfirmed: 50 };

describe('an attempt in doubt', () => {
  it.each([
    ['too early', doubt({ ageMs: 89_999, ...ALL }), 'hold'],
    ['every neighbour of its set was confirmed', doubt({ setSent: 10, setConfirmed: 10 }), 'not-sent'],
    [
      'one neighbour of its set was not',
      doubt({ setSent: 50, setConfirmed: 49, accountSent: 90, accountConfirmed: 90 }),
      'hold',
    ],
    [
      'few in its set, all of the account confirmed',
      doubt({ setSent: 2, setConfirmed: 2, accountSent: 10, accountConfirmed: 10 }),
      'not-sent',
    ],
    ['few in its set, the account patchy', doubt({ accountSent: 10, accountConfirmed: 9 }), 'hold'],
    ['nine witnesses', doubt({ setSent: 9, setConfirmed: 9, accountSent: 9, accountConfirmed: 9 }), 'hold'],
    [
      'nine witnesses and long patience',
      doubt({ ageMs: 900_000, setSent: 9, setConfirmed: 9, accountSent: 9, accountConfirmed: 9 }),
      'not-sent',
    ],
    ['a silent pipeline, however long', doubt({ ageMs: 90_000_000 }), 'hold'],
    ['a silent pipeline a minute before its end', doubt({ ageMs: HOUR, leftMs: 60_000 }), 'last-chance'],
    ['a short life, three quarters of it over', doubt({ ageMs: 90_000, leftMs: 30_000 }), 'last-chance'],
    ['a short life that is over before silence counts', doubt({ ageMs: 5_000, leftMs: 1_000 }), 'hold'],
    ['its time is over', doubt({ leftMs: 0, ...ALL }), 'over'],
    ['at most once, whatever the neighbours say', doubt({ policy: 'AT_MOST_ONCE', ...ALL }), 'hold'],
    ['at most once, a second before its end', doubt({ policy: 'AT_MOST_ONCE', ageMs: HOUR, leftMs: 1_000 }), 'hold'],
    ['at most once, at its end', doubt({ policy: 'AT_MOST_ONCE', leftMs: 0 }), 'over'],
  ])('%s', (_what, value, expected) => {
    expect(resolveDoubt(value)).toBe(expected);
  });

  const counts = fc.nat(40);
  const doubts = fc.record({
    policy: fc.constantFrom('AT_LEAST_ONCE' as const, 'AT_MOST_ONCE' as const),
    ageMs: fc.nat(10_000_000),
    leftMs: fc.integer({ min: -1_000_000, max: 10_000_000 }),
    sent: counts,
    confirmed: counts,
  });

  it('is never called not sent while a witness is missing or none exists', () => {
    fc.assert(
      fc.property(doubts, ({ sent, confirmed, ...rest }) => {
        const seen = Math.min(sent, confirmed);
        const around = { setSent: sent, setConfirmed: seen, accountSent: sent, accountConfirmed: seen };
        const resolution = resolveDoubt(doubt({ ...rest, ...around }));
        return resolution !== 'not-sent' || (sent > 0 && seen === sent && rest.ageMs >= 90_000);
      }),
    );
  });

  it('never goes again after its time is over, nor at all when it may go at most once', () => {
    fc.assert(
      fc.property(doubts, ({ sent, confirmed, ...rest }) => {
        const seen = Math.min(sent, confirmed);
        const resolution = resolveDoubt(doubt({ ...rest, accountSent: sent, accountConfirmed: seen }));
        const goesAgain = resolution === 'not-sent' || resolution === 'last-chance';
        return !goesAgain || (rest.leftMs > 0 && rest.policy === 'AT_LEAST_ONCE');
      }),
    );
  });
});

describe('the events of an account', () => {
  it('are silent when much was sent and nothing confirmed, and merely patchy otherwise', () => {
    expect(isSilent({ ...NOBODY, accountSent: 10 })).toBe(true);
    expect(isSilent({ ...NOBODY, accountSent: 9 })).toBe(false);
    expect(isSilent({ ...NOBODY, accountSent: 500, accountConfirmed: 1 })).toBe(false);
  });
});
