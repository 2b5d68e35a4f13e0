import { beginsInMs } from './accept-pace.policy';

describe('when calls that arrive together begin their transaction', () => {
  it.each([
    ['at once where nothing is under way nor was a moment ago', 1, 0, 5, 0],
    ['a few milliseconds after the last one began', 1, 0, 2, 3],
    ['not beside one that runs: they share the next', 199, 1, 5, 45],
    ['beside one that is held up', 1, 1, 50, 0],
    ['beside two that are held up, but not beside three', 1, 2, 60, -10],
    ['at once where they fill one, whatever runs', 200, 2, 0, 0],
    ['never beside three', 1_000, 3, 1_000, Infinity],
    ['never without a call', 0, 0, 1_000, Infinity],
  ])('%s', (_, waiting, running, sinceLastMs, inMs) => {
    expect(beginsInMs(waiting, running, sinceLastMs)).toBe(inMs);
  });
});
