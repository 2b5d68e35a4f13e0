import { newId, type MessageId } from '@libs/kernel';
import { idAtAge, readyWindow, restOfLists } from './feeder.policy';

describe('an id of an age', () => {
  it('stands before every id made since and after every id made before', () => {
    const older = '019ab000-0000-7fff-bfff-ffffffffffff';
    const newest = '019ab000-07d0-7000-8000-000000000000'; // 2,000 ms later
    expect(idAtAge(newest, 2_000) > older).toBe(false);
    expect(idAtAge(newest, 1_999) > older).toBe(true);
    expect(idAtAge(newest, 2_000)).toBe('019ab000-0000-0000-0000-000000000000');
  });

  it('is now for an age of nothing', () => {
    const id = newId<MessageId>();
    expect(idAtAge(id, 0).slice(0, 13)).toBe(id.slice(0, 13));
    expect(idAtAge(id, 0) <= id).toBe(true);
  });
});

it.each([
  [200, 1, 2_000],
  [200, 4, 1_000],
  [5_000, 2, 25_000],
  [8, 1, 240],
  [1, 1, 100],
])(
  'at %d a second and %d lines a ready list holds ten seconds of a share, and 1,000 or half a minute at least: %d',
  (num, lines, window) => {
    expect(readyWindow({ num, den: 1 }, lines)).toBe(window);
  },
);

it.each([
  [[1_000], 2_500],
  [[2_000, 900], 2_000],
  [[10_000], 3_000],
  [[2_000, 400], 0],
])('lists of %j at 200 a second are half empty after %d ms at the soonest', (listed, ms) => {
  expect(restOfLists(listed, 1_000, { num: 200, den: 1 })).toBe(ms);
});
