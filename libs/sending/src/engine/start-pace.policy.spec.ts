import fc from 'fast-check';
import { StartPace } from './start-pace.policy';

const START = 1_000_000;
/** How often the simulated processes look at their clocks, milliseconds. */
const LOOK = 2;

interface Stop {
  readonly at: number;
  readonly forMs: number;
}

/** One process: its slots, and when it cannot run. What it misses by more than its patience is gone. */
class Process {
  readonly started: number[] = [];
  missed = 0;
  private readonly pace = new StartPace(1);

  constructor(
    private readonly slots: number[],
    private readonly rate: number,
    private readonly stops: readonly Stop[],
  ) {}

  look(now: number): void {
    if (this.stops.some(({ at, forMs }) => now >= START + at && now < START + at + forMs)) return;
    for (let due = this.slots[0]; due !== undefined && due <= now; due = this.slots[0]) {
      const patience = this.pace.patienceMs({ num: this.rate, den: 1 });
      if (now - due > patience) {
        const kept = this.slots.filter((slot) => now - slot <= patience);
        this.pace.missed(this.slots.length - kept.length, now);
        this.missed += this.slots.length - kept.length;
        this.slots.splice(0, this.slots.length, ...kept);
      } else if (this.pace.earliestMs(due) <= now) {
        this.pace.start(due, now);
        this.started.push(now);
        this.slots.shift();
      } else return;
    }
  }
}

function run(processes: readonly Process[], seconds: number): number[] {
  for (let now = START; now < START + seconds * 1_000; now += LOOK) for (const one of processes) one.look(now);
  return processes.flatMap(({ started }) => started).sort((a, b) => a - b);
}

/** Slots of one recipient at that rate. */
function slots(rate: number, seconds: number): number[] {
  return Array.from({ length: rate * seconds }, (_, i) => START + (i * 1_000) / rate);
}

function worstSecond(times: readonly number[]): number {
  let [worst, first] = [0, 0];
  for (const [i, time] of times.entries()) {
    while ((times[first] ?? time) <= time - 1_000) first += 1;
    worst = Math.max(worst, i - first + 1);
  }
  return worst;
}

const stops = fc.array(fc.record({ at: fc.nat(8_000), forMs: fc.nat(900) }), { maxLength: 8 });
const rates = fc.integer({ min: 2, max: 400 });

describe('the pace of starts', () => {
  it('starts every message in its slot when nothing is late', () => {
    const process = new Process(slots(250, 5), 250, []);
    expect(run([process], 6)).toEqual(slots(250, 5));
  });

  it('goes on as late as a stop within its patience made it, and loses no slot', () => {
    const process = new Process(slots(100, 10), 100, [{ at: 3_000, forMs: 18 }]);
    const started = run([process], 12);
    expect(started).toHaveLength(1_000);
    expect(worstSecond(started)).toBeLessThanOrEqual(102);
  });

  it('misses no more slots once it was late, though it only comes by every few milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 400 }), fc.integer({ min: 20, max: 60 }), (rate, forMs) => {
        const process = new Process(slots(rate, 9), rate, [{ at: 1_000, forMs }]);
        // The grid of starts, and a timer that rings late.
        for (let now = START, n = 0; now < START + 11_000; now += 5, n += 1) process.look(now + (n % 3));
        return process.missed <= Math.ceil((forMs * rate) / 1_000);
      }),
    );
  });

  it('never catches up faster than two per cent after one stop, however long', () => {
    fc.assert(
      fc.property(rates, fc.nat(8_000), fc.nat(900), (rate, at, forMs) => {
        return worstSecond(run([new Process(slots(rate, 9), rate, [{ at, forMs }])], 11)) <= rate * 1.025 + 1;
      }),
    );
  });

  it('starts no more than a strict bucket has, however long and often a process stands still', () => {
    fc.assert(
      fc.property(rates, stops, (rate, list) => {
        const process = new Process(slots(rate, 9), rate, list);
        let [tokens, at] = [rate, START];
        for (const now of run([process], 11)) {
          tokens = Math.min(rate, tokens + ((now - at) * rate) / 1_000) - 1;
          at = now;
          if (tokens < -1e-6) return false;
        }
        return worstSecond(process.started) <= rate * 1.25 + 1;
      }),
    );
  });

  it('keeps processes that share the slots of an account within the patience of one that had no need to be patient', () => {
    fc.assert(
      fc.property(rates, fc.nat(5_000), fc.integer({ min: 20, max: 900 }), (rate, at, forMs) => {
        // Every tenth of a second belongs to the other process.
        const mine = (index: number) => slots(rate, 9).filter((due) => Math.floor((due - START) / 100) % 2 === index);
        const processes = [new Process(mine(0), rate, [{ at, forMs }]), new Process(mine(1), rate, [])];
        return worstSecond(run(processes, 11)) <= rate * 1.04 + 1;
      }),
    );
  });

  it('loses no slot of a slow account to a stop shorter than the time between two, and exceeds its rate by one message at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 30 }), fc.array(fc.nat(8_000), { maxLength: 8 }), (rate, at) => {
        // No two stops in a row.
        const list = at.map((start) => ({
          at: Math.floor(start / 1_000) * 1_000,
          forMs: Math.floor(700 / rate) - LOOK,
        }));
        const process = new Process(slots(rate, 9), rate, list);
        const started = run([process], 11);
        return process.missed === 0 && started.length === rate * 9 && worstSecond(started) <= rate + 1;
      }),
    );
  });

  it('becomes patient where slots are missed again and again, so that messages go out all the same', () => {
    // A process that only runs every 80 ms.
    const list = Array.from({ length: 150 }, (_, i) => ({ at: i * 80, forMs: 78 }));
    const process = new Process(slots(100, 11), 100, list);
    const started = run([process], 12);
    expect(started.filter((at) => at > START + 4_000).length).toBeGreaterThan(550);
    expect(process.missed).toBeLessThan(400);
  });

  it('loses its patience again when it needs it no more', () => {
    const list = Array.from({ length: 10 }, (_, i) => ({ at: i * 300, forMs: 298 }));
    const process = new Process(slots(100, 30), 100, [...list, { at: 29_000, forMs: 200 }]);
    run([process], 29);
    const before = process.missed;
    for (let now = START + 29_000; now < START + 30_000; now += LOOK) process.look(now);
    expect(process.missed - before).toBeGreaterThan(10);
  });

  it.each([
    [0.5, 160],
    [1, 80],
    [4, 600],
    [200, 796],
  ])('is never late by more than what the bucket of SES forgives at %d a second: %d ms', (rate, most) => {
    const pace = new StartPace(1);
    for (let i = 0; i < 10; i += 1) pace.missed(10, START + i * 1_000);
    expect(pace.patienceMs({ num: rate * 10, den: 10 })).toBe(most);
  });

  it('does not hold back an account that was quiet for a second', () => {
    const pace = new StartPace(1);
    for (let i = 0; i < 10; i += 1) pace.missed(10, START + i * 1_000);
    pace.start(START, START + 700);
    expect(pace.earliestMs(START + 900)).toBeGreaterThan(START + 1_300);
    expect(pace.earliestMs(START + 2_000)).toBe(START + 2_000);
  });
});
