import fc from 'fast-check';
import { SlotWindow } from './slot-window.policy';

/** Slots of one recipient at that rate from 1,000 s on. */
function slots(rate: number, seconds: number): number[] {
  return Array.from({ length: rate * seconds }, (_, i) => 1_000_000 + (i * 1_000) / rate);
}

describe('a slot window', () => {
  it('starts every message in its slot when nothing is late', () => {
    const window = new SlotWindow(1_000);
    for (const due of slots(200, 5)) {
      window.plan(due, 1);
      expect(window.start(due, 1)).toBe(true);
    }
  });

  it('catches up after a stop, but never beyond the slots of a second', () => {
    const window = new SlotWindow(1_000);
    const dues = slots(100, 4);
    const started: number[] = [];
    let given = 0;
    for (let now = 1_000_000; now < 1_004_500; now += 5) {
      for (; (dues[given] ?? Infinity) <= now + 500; given += 1) window.plan(dues[given] ?? 0, 1);
      if (now >= 1_001_000 && now < 1_001_300) continue; // The process stands still.
      while ((dues[started.length] ?? Infinity) <= now && window.start(now, 1)) started.push(now);
    }
    expect(started).toHaveLength(400);
    expect(worstSecond(started)).toBeLessThanOrEqual(100);
  });

  it('keeps messages of a slow account a whole gap apart', () => {
    const window = new SlotWindow(1_000);
    window.plan(1_000_000, 1);
    window.plan(1_001_000, 1);
    expect(window.start(1_000_500, 1)).toBe(true);
    expect(window.start(1_001_005, 1)).toBe(false);
    expect(window.start(1_001_500, 1)).toBe(true);
  });

  it('forgets slots that were given back', () => {
    const window = new SlotWindow(1_000);
    window.plan(1_000_000, 1);
    window.leave(1_000_000, 1);
    expect(window.start(1_000_000, 1)).toBe(false);
  });

  it('never starts more in a second than had slots in it, whatever stops when', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 300 }),
        fc.array(fc.record({ at: fc.nat(3_000), forMs: fc.nat(400) }), { maxLength: 6 }),
        (rate, stops) => {
          const window = new SlotWindow(1_000);
          const dues = slots(rate, 3);
          for (const due of dues) window.plan(due, 1);
          const started: number[] = [];
          for (let now = 1_000_000; now < 1_004_000; now += 7) {
            if (stops.some(({ at, forMs }) => now - 1_000_000 >= at && now - 1_000_000 < at + forMs)) continue;
            while ((dues[started.length] ?? Infinity) <= now && window.start(now, 1)) started.push(now);
          }
          return worstSecond(started) <= rate;
        },
      ),
    );
  });
});

function worstSecond(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time < from + 1_000).length));
}
