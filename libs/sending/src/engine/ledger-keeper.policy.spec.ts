import { mayRebuild, QUIET_MS, quietRecipients } from './ledger-keeper.policy';

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
});
