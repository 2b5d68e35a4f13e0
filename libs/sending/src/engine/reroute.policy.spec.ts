import type { LaneId, SendingAccountId } from '@libs/kernel';
import { closedBy, roomOf, takersOf } from './reroute.policy';

const healthy = { state: 'PRODUCTION', sendingEnabled: true } as const;
const figures = { nowMs: 1_000, frozenUntilMs: 0, quota: 50_000n, used24h: 10n };

describe('an account', () => {
  it.each([
    ['is open while it sends', healthy, figures, undefined],
    ['is open under review', { ...healthy, state: 'UNDER_REVIEW' as const }, figures, undefined],
    ['is closed by a pause', { ...healthy, state: 'PAUSED' as const }, figures, 'refused'],
    ['is closed by a suspension', { ...healthy, state: 'SUSPENDED' as const }, figures, 'refused'],
    ['is closed when SES has switched sending off', { ...healthy, sendingEnabled: false }, undefined, 'refused'],
    ['is closed while its ledger is frozen', healthy, { ...figures, frozenUntilMs: 1_001 }, 'frozen'],
    ['is open again when the freeze is over', healthy, { ...figures, frozenUntilMs: 1_000 }, undefined],
    ['is closed when its day is used up but for the headroom', healthy, { ...figures, used24h: 49_950n }, 'day'],
    ['is open with room in its day', healthy, { ...figures, used24h: 49_949n }, undefined],
    ['is closed with a quota of nothing', healthy, { ...figures, quota: 0n, used24h: 0n }, 'day'],
    ['never uses up an unlimited day', healthy, { ...figures, quota: -1n, used24h: 9_999_999n }, undefined],
    ['is not judged by a ledger that is being rebuilt', healthy, undefined, undefined],
  ])('%s', (_what, account, seen, expected) => {
    expect(closedBy(account, seen)).toBe(expected);
  });
});

describe('the sibling that takes over', () => {
  const sibling = (id: string, room: number, region = 'us-east-1') => ({
    sendingAccountId: id as SendingAccountId,
    laneId: `lane-${id}` as LaneId,
    region,
    room,
  });

  it('is the one with most room, the same one for everybody, and none when all are full', () => {
    expect(takersOf([sibling('a', 10), sibling('b', 20)])).toEqual([sibling('b', 20)]);
    expect(takersOf([sibling('b', 20), sibling('a', 20)])).toEqual([sibling('a', 20)]);
    expect(takersOf([sibling('a', 5), sibling('b', Number.POSITIVE_INFINITY)])[0]?.sendingAccountId).toBe('b');
    expect(takersOf([sibling('a', 0)])).toEqual([]);
  });

  it('is one in each region, for mail that asks for it', () => {
    const [a, b, c] = [sibling('a', 10), sibling('b', 20, 'eu-west-1'), sibling('c', 30)];
    expect(takersOf([a, b, c])).toEqual([c, b]);
  });

  it('has the rest of its day as room, and no end of it without a quota', () => {
    expect(roomOf(figures)).toBe(49_990);
    expect(roomOf({ ...figures, used24h: 60_000n })).toBe(0);
    expect(roomOf({ ...figures, quota: -1n })).toBe(Number.POSITIVE_INFINITY);
  });
});
