import TestSequencer from '@jest/test-sequencer';

/** Files that start whole processes or play days: one of them left for the end would run alone. */
const SLOW = /[/\\]test[/\\](simulation|faults|journeys|stack|bench|worker)[/\\]/;

/** Jest knows how long a file takes only when it has run it before; in a fresh clone it would go by size. */
export default class SlowFirst extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    return [...sorted.filter(({ path }) => SLOW.test(path)), ...sorted.filter(({ path }) => !SLOW.test(path))];
  }
}
