import { hostClockProblem } from './host-clock.policy';

const HOUR_MS = 3_600_000;

it.each([
  ['agrees with both', 0, [1_000, -4_000], undefined],
  ['is as far off as a ledger allows', 5_000, [0, 0], undefined],
  ['agrees with one, so that the other is wrong', HOUR_MS, [HOUR_MS, 0], undefined],
  ['has nobody to be held against', HOUR_MS, [], undefined],
  ['is ahead of both', HOUR_MS, [0, 10], '3600 s ahead of those of PostgreSQL and Redis: set it by NTP'],
  ['is behind both', -600_000, [0, 10], '600 s behind those of PostgreSQL and Redis: set it by NTP'],
])('a clock of this host that %s', (_, hostMs, storesMs, problem) => {
  expect(hostClockProblem(hostMs, storesMs)).toBe(problem);
});
