import { LoopWatch } from './loop-watch';

describe('how long a request may have waited unheard', () => {
  let now = 1_000;
  let watch: LoopWatch;

  beforeEach(() => {
    now = 1_000;
    watch = new LoopWatch(() => now);
    watch.stop();
  });
  const turnAt = (at: number) => {
    now = at;
    watch.turn();
  };

  it('is no time while the loop comes round', () => {
    turnAt(1_005);
    turnAt(1_010);
    now = 1_014;
    expect(watch.waitedMs()).toBe(0);
  });

  it('is all of a stop, also for what is heard in the turn after it', () => {
    turnAt(1_005);
    now = 1_205;
    expect(watch.waitedMs()).toBe(205);
    // The loop comes round, and only then reads what came meanwhile.
    turnAt(1_206);
    expect(watch.waitedMs()).toBe(201);
    turnAt(1_211);
    expect(watch.waitedMs()).toBe(0);
  });
});
