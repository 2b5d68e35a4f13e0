import { costOfLook, restAfterLook } from './look-pace.policy';

it('a look that becomes slow becomes rare, but never rarer than twice a minute', () => {
  expect(restAfterLook(2_000, 10)).toBe(2_000);
  expect(restAfterLook(2_000, 1_000)).toBe(19_000);
  expect(restAfterLook(2_000, 20_000)).toBe(30_000);
});

it('a look counts as slow when the one before was slow too', () => {
  expect(costOfLook(2, 20_000)).toBe(2);
  expect(costOfLook(300, 400)).toBe(300);
});
