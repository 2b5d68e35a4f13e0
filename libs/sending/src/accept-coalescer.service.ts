import { Timers } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AcceptTransaction, type AcceptCall } from './accept-transaction.service';
import type { Accepted, Submitter } from './accepted';

/** Messages of one transaction of several calls. A larger call is a transaction of its own. */
const MAX_MESSAGES = 200;
/** How long a call waits for the transaction before it, milliseconds. */
const MAX_WAIT_MS = 5;
/** Transactions of one tenant and mode at a time: more would leave other tenants without a connection. */
const MAX_RUNNING = 4;

interface Waiting {
  readonly call: AcceptCall;
  readonly resolve: (accepted: Accepted) => void;
  readonly reject: (reason: unknown) => void;
}

interface Line {
  readonly by: Submitter;
  readonly waiting: Waiting[];
  running: number;
  cancelTimer: (() => void) | undefined;
}

/**
 * Calls of one tenant that arrive while a transaction of it is under way share the next one: a commit costs the same for
 * one message and for two hundred. A call that finds nothing under way does not wait. Each keeps its own idempotency, its
 * own errors and its own answer, which comes after the commit.
 */
@Injectable()
export class AcceptCoalescer {
  private readonly lines = new Map<string, Line>();

  constructor(
    private readonly transaction: AcceptTransaction,
    private readonly timers: Timers,
  ) {}

  take(by: Submitter, call: AcceptCall): Promise<Accepted> {
    return new Promise((resolve, reject) => {
      const line = this.lineOf(by);
      line.waiting.push({ call, resolve, reject });
      const gathered = line.waiting.reduce((sum, one) => sum + one.call.checked.length, 0);
      if (line.running === 0 || gathered >= MAX_MESSAGES) this.start(line);
      else this.startSoon(line);
    });
  }

  private lineOf(by: Submitter): Line {
    const name = `${by.mode} ${by.tenantId}`;
    const known = this.lines.get(name);
    if (known) return known;
    const line: Line = { by, waiting: [], running: 0, cancelTimer: undefined };
    this.lines.set(name, line);
    return line;
  }

  private startSoon(line: Line): void {
    line.cancelTimer ??= this.timers.after(MAX_WAIT_MS, () => {
      line.cancelTimer = undefined;
      this.start(line);
    });
  }

  private start(line: Line): void {
    if (line.running >= MAX_RUNNING || line.waiting.length === 0) return;
    line.cancelTimer?.();
    line.cancelTimer = undefined;
    line.running += 1;
    void this.run(line.by, this.nextOf(line)).finally(() => {
      line.running -= 1;
      if (line.waiting.length > 0) this.start(line);
      else if (line.running === 0) this.lines.delete(`${line.by.mode} ${line.by.tenantId}`);
    });
    if (line.waiting.length > 0) this.startSoon(line);
  }

  /** The calls of the next transaction: in order, each key once, since the second must find what the first wrote. */
  private nextOf(line: Line): Waiting[] {
    const chosen: Waiting[] = [];
    const left: Waiting[] = [];
    const keys = new Set<string>();
    let messages = 0;
    for (const one of line.waiting.splice(0)) {
      const size = one.call.checked.length;
      if (keys.has(one.call.key) || (chosen.length > 0 && messages + size > MAX_MESSAGES)) left.push(one);
      else {
        chosen.push(one);
        keys.add(one.call.key);
        messages += size;
      }
    }
    line.waiting.push(...left);
    return chosen;
  }

  private async run(by: Submitter, chosen: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.transaction.take(
        by,
        chosen.map((one) => one.call),
      );
      chosen.forEach((one, index) => {
        const answer = answers[index];
        if (answer === undefined) one.reject(new Error('a call was left without an answer'));
        else if ('error' in answer) one.reject(answer.error);
        else one.resolve(answer);
      });
    } catch (error) {
      const [only] = chosen;
      if (chosen.length === 1) only?.reject(error);
      // Nothing was written. One of them may be to blame: the half without it goes through, and in the end it fails alone.
      else await Promise.all(halves(chosen).map((half) => this.run(by, half)));
    }
  }
}

function halves(chosen: readonly Waiting[]): (readonly Waiting[])[] {
  const middle = Math.ceil(chosen.length / 2);
  return [chosen.slice(0, middle), chosen.slice(middle)];
}
