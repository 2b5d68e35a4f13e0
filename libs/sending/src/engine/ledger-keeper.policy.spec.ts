import { figuresAreGood, mayRebuild, QUIET_MS, quietRecipients } from './ledger-keeper.policy';

describe('rebuilding a ledger', () => {
  it.each([
    [0, 0, true],
    [1, 0, false],
    [1, QUIET_MS - 1, false],
    [1, QUIET_MS, true],
  ])('with %d open batches %d ms after the epoch was raised: %s', (open, since, expected) => {
    expect(mayRebuild(open, since)).toBe(expected);
  });

  it('pauses the rate clock for the largest message, at most for one full message', () => {
    expect([0, 7, 9_000].map(quietRecipients)).toEqual([0, 7, 50]);
  });

  it('goes by figures of the last hour while AWS does not answer, never by older ones or none', () => {
    expect([undefined, 0, 3_600_000, 3_600_001].map(figuresAreGood)).toEqual([false, true, true, false]);
  });
});
