import { Timers } from '@libs/kernel';
import { StartGrid } from './start-grid';

/** Rings what is due when it is told the time; early by what it is told. */
class TestTimers extends Timers {
  now = 1_000;
  readonly rings: { readonly at: number; readonly work: () => void }[] = [];
  constructor(private readonly earlyMs = 0) {
    super();
  }
  monotonicMs(): number {
    return this.now;
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
  after(ms: number, work: () => void): () => void {
    this.rings.push({ at: this.now + ms - this.earlyMs, work });
    return () => undefined;
  }
  pass(ms: number): void {
    for (const end = this.now + ms; ;) {
      const [next] = this.rings.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) {
        this.now = end;
        return;
      }
      this.rings.splice(this.rings.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      next.work();
    }
  }
}

function gridOn(timers: TestTimers) {
  const ticks: { readonly at: number; readonly works: number }[] = [];
  const grid = new StartGrid(timers, 5, (works) => {
    ticks.push({ at: timers.now, works: works.length });
    for (const work of works) work();
  });
  return { grid, ticks };
}

describe('the grid of starts', () => {
  it('calls everything that is due within a step together, and nothing before its time', () => {
    const timers = new TestTimers();
    const { grid, ticks } = gridOn(timers);
    const called: number[] = [];
    for (const ms of [1, 3.2, 5, 6, 11]) grid.after(ms, () => called.push(ms));
    timers.pass(4);
    expect(called).toEqual([]);
    timers.pass(20);
    expect(called).toEqual([1, 3.2, 5, 6, 11]);
    expect(ticks).toEqual([
      { at: 1_005, works: 3 },
      { at: 1_010, works: 1 },
      { at: 1_015, works: 1 },
    ]);
  });

  it('waits on when its timer rings early', () => {
    const timers = new TestTimers(0.7);
    const { grid, ticks } = gridOn(timers);
    grid.after(3, () => undefined);
    timers.pass(20);
    expect(ticks).toHaveLength(1);
    expect(ticks[0]?.at).toBeGreaterThanOrEqual(1_005);
  });

  it('forgets what was cancelled', () => {
    const timers = new TestTimers();
    const { grid } = gridOn(timers);
    let calls = 0;
    const cancel = grid.after(3, () => (calls += 1));
    grid.after(3, () => (calls += 10));
    cancel();
    timers.pass(20);
    expect(calls).toBe(10);
  });

  it('comes in a later tick with what is asked for during one', () => {
    const timers = new TestTimers();
    const { grid, ticks } = gridOn(timers);
    grid.after(5, () => grid.after(0, () => undefined));
    timers.pass(20);
    expect(ticks.map(({ at }) => at)).toEqual([1_005, 1_010]);
  });
});
