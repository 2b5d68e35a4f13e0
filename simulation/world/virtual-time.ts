import { setImmediate } from 'node:timers';

/** Where a simulated world begins, milliseconds since 1970: a Monday, 00:00 UTC, before any id that is really drawn. */
export const EPOCH_MS = Date.UTC(2020, 0, 6);

/** Turns of Node's event loop are costly beside what a step does, so a turn takes several; microtasks run in between. */
const STEPS_A_TURN = 64;

interface Planned {
  readonly atMs: number;
  readonly order: number;
  run: (() => void | Promise<void>) | undefined;
}

/**
 * The only time there is: a queue of what is due, and a clock that jumps from one entry to the next. Between two entries
 * every promise that could go on has gone on, so a run is a function of what was planned and in which order.
 */
export class VirtualTime {
  private readonly heap: Planned[] = [];
  private orders = 0;
  private current = 0;
  steps = 0;

  /** Milliseconds since the run began. */
  get nowMs(): number {
    return this.current;
  }

  /** Calls `run` in `ms`; a promise it answers is awaited while time stands still. The answer of `at` takes it back. */
  at(ms: number, run: () => void | Promise<void>): () => void {
    const planned: Planned = { atMs: this.current + Math.max(0, ms), order: (this.orders += 1), run };
    this.push(planned);
    return () => {
      planned.run = undefined;
    };
  }

  /** Plays everything that is due until then. Rejects with whatever a step throws. */
  playUntil(endMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let over = false;
      let standing = false;
      const fail = (error: unknown) => {
        over = true;
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      const step = () => {
        if (over || standing) return;
        const next = this.popDue(endMs);
        if (next === undefined) {
          over = true;
          this.current = endMs;
          resolve();
          return;
        }
        try {
          const waits = next();
          if (waits === undefined) return;
          standing = true;
          waits.then(() => {
            standing = false;
            turn();
          }, fail);
        } catch (error) {
          fail(error);
        }
      };
      const turn = () => {
        if (over || standing) return;
        for (let i = 0; i < STEPS_A_TURN; i += 1) setImmediate(step);
        setImmediate(turn);
      };
      turn();
    });
  }

  private popDue(endMs: number): (() => void | Promise<void>) | undefined {
    for (let next = this.heap[0]; next !== undefined && next.atMs <= endMs; next = this.heap[0]) {
      this.pop();
      if (next.run === undefined) continue;
      this.current = next.atMs;
      this.steps += 1;
      return next.run;
    }
    return undefined;
  }

  private push(planned: Planned): void {
    const { heap } = this;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || before(parent, planned)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = planned;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [one, two] = [heap[left], heap[left + 1]];
      if (one === undefined) break;
      const least = two !== undefined && before(two, one) ? two : one;
      if (before(last, least)) break;
      heap[at] = least;
      at = least === one ? left : left + 1;
    }
    heap[at] = last;
  }
}

function before(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
