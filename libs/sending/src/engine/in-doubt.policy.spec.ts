import fc from 'fast-check';
import { resolveDoubt, type Doubt } from './in-doubt.policy';

const doubt = (changes: Partial<Omit<Doubt, 'watermark'>> & Partial<Doubt['watermark']> = {}): Doubt => {
  const { confirmed = false, ageMs = 100_000, waitMs = 90_000, ...watermark } = changes;
  return {
    confirmed,
    ageMs,
    waitMs,
    watermark: { setSent: 0, setConfirmed: 0, accountSent: 0, accountConfirmed: 0, ...watermark },
  };
};

describe('an attempt in doubt', () => {
  it.each([
    ['its event came', doubt({ confirmed: true, ageMs: 0 }), 'sent'],
    ['too early', doubt({ ageMs: 89_999, setSent: 50, setConfirmed: 50 }), 'hold'],
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
  ])('%s', (_what, value, expected) => {
    expect(resolveDoubt(value)).toBe(expected);
  });

  it('is never called not sent while a witness is missing or none exists', () => {
    const counts = fc.nat(40);
    fc.assert(
      fc.property(counts, counts, fc.nat(10_000_000), (sent, confirmed, ageMs) => {
        const set = { setSent: sent, setConfirmed: Math.min(sent, confirmed) };
        const resolution = resolveDoubt(
          doubt({ ageMs, ...set, accountSent: set.setSent, accountConfirmed: set.setConfirmed }),
        );
        return resolution !== 'not-sent' || (sent > 0 && confirmed >= sent && ageMs >= 90_000);
      }),
    );
  });
});
