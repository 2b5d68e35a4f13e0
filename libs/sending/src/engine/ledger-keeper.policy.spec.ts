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

  it('pauses the rate clock for what was just granted, at most for one full message', () => {
    expect([0n, 7n, 9_000n].map(quietRecipients)).toEqual([0, 7, 50]);
  });
});
