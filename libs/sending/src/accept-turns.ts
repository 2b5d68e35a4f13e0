import type { AcceptCall, Accepted, Submitter } from './accepted';

/** A call whose customer waits for the answer. */
export interface WaitingCall {
  readonly by: Submitter;
  readonly call: AcceptCall;
  /** What it costs to write, in messages of 4 KB. */
  readonly size: number;
  readonly resolve: (accepted: Accepted) => void;
  readonly reject: (reason: unknown) => void;
}

interface Line {
  readonly waiting: WaitingCall[];
  running: number;
}

/**
 * Calls that wait, in a line for each tenant and mode. The lines have turns, so that who sends a thousand calls holds
 * nobody up; a key that is under way waits for its end, since the second call must find what the first wrote.
 */
export class AcceptTurns {
  private readonly lines = new Map<string, Line>();
  private waitingSize = 0;

  /**
   * @param keysUnderWay may be shared with others
   * @param runningOfOne calls of a line that may run at a time
   */
  constructor(
    private readonly keysUnderWay: Set<string>,
    private readonly runningOfOne: number,
  ) {}

  /** Of all that wait together. */
  get size(): number {
    return this.waitingSize;
  }

  add(one: WaitingCall): void {
    const name = lineOf(one);
    const line = this.lines.get(name) ?? { waiting: [], running: 0 };
    line.waiting.push(one);
    this.lines.set(name, line);
    this.waitingSize += one.size;
  }

  /** The next call that may run and is at most so large: it runs until it is `done`. */
  next(room: number): WaitingCall | undefined {
    for (const [name, line] of this.lines) {
      if (line.running >= this.runningOfOne) continue;
      const place = line.waiting.findIndex((one) => one.size <= room && !this.keysUnderWay.has(keyOf(one)));
      const [one] = place < 0 ? [] : line.waiting.splice(place, 1);
      if (!one) continue;
      line.running += 1;
      this.keysUnderWay.add(keyOf(one));
      this.waitingSize -= one.size;
      // Its turn comes again after everybody else's.
      this.lines.delete(name);
      this.lines.set(name, line);
      return one;
    }
    return undefined;
  }

  done(one: WaitingCall): void {
    const name = lineOf(one);
    this.keysUnderWay.delete(keyOf(one));
    const line = this.lines.get(name);
    if (!line) return;
    line.running -= 1;
    if (line.running === 0 && line.waiting.length === 0) this.lines.delete(name);
  }
}

function lineOf({ by }: WaitingCall): string {
  return `${by.tenantId} ${by.mode}`;
}

function keyOf(one: WaitingCall): string {
  return `${lineOf(one)} ${one.call.key}`;
}
