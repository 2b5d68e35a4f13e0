import { AsyncLocalStorage } from 'node:async_hooks';
import { Timers } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { beginsInMs, TOGETHER } from './accept-pace.policy';
import { AcceptTransaction, type AcceptAnswer } from './accept-transaction.service';
import { AcceptTurns, type WaitingCall } from './accept-turns';
import type { AcceptCall, Accepted, Submitter } from './accepted';

/** In messages of 4 KB. What is larger would hold others up, and is a transaction of its own. */
const SMALL_CALL = 50;
const BYTES_OF_ONE = 4_096;
/** Transactions of a single call at a time. */
const RUNNING_ALONE = 5;
const RUNNING_ALONE_OF_ONE = 3;

/**
 * Small calls that arrive within a few milliseconds share a transaction, whoever they come from: a commit costs the same
 * for one message and for two hundred. A call that finds nothing under way does not wait. Each keeps its own idempotency,
 * its own errors and its own answer, which comes after the commit. Where a shared transaction fails, and while a tenant's
 * mail is being moved, calls go on alone, so that nobody fails or waits for another's.
 */
@Injectable()
export class AcceptCoalescer {
  private readonly keysUnderWay = new Set<string>();
  private readonly small = new AcceptTurns(this.keysUnderWay, Infinity);
  private readonly alone = new AcceptTurns(this.keysUnderWay, RUNNING_ALONE_OF_ONE);
  private runningTogether = 0;
  private runningAlone = 0;
  private startedAtMs = -Infinity;
  private unsetTimer: (() => void) | undefined;
  /** A shared transaction belongs to no request: nothing of the one that happens to begin it may be found in it. */
  private readonly outsideRequests = AsyncLocalStorage.snapshot();

  constructor(
    private readonly transaction: AcceptTransaction,
    private readonly timers: Timers,
  ) {}

  take(by: Submitter, call: AcceptCall): Promise<Accepted> {
    return new Promise((resolve, reject) => {
      const one: WaitingCall = { by, call, size: sizeOf(call), resolve, reject };
      (one.size > SMALL_CALL ? this.alone : this.small).add(one);
      this.outsideRequests(() => {
        this.start();
      });
    });
  }

  private start(): void {
    while (this.runningAlone < RUNNING_ALONE) {
      const one = this.alone.next(Infinity);
      if (!one) break;
      this.runningAlone += 1;
      void this.runAlone(one).finally(() => {
        this.runningAlone -= 1;
        this.alone.done(one);
        this.start();
      });
    }
    for (;;) {
      const inMs = beginsInMs(this.small.size, this.runningTogether, this.timers.monotonicMs() - this.startedAtMs);
      if (inMs > 0) {
        this.startIn(inMs);
        return;
      }
      const chosen = this.nextTogether();
      if (chosen.length === 0) return;
      this.startedAtMs = this.timers.monotonicMs();
      this.runningTogether += 1;
      void this.runTogether(chosen).finally(() => {
        this.runningTogether -= 1;
        this.start();
      });
    }
  }

  private startIn(ms: number): void {
    // Set anew: since the last time one may have ended, and this one be due sooner.
    this.unsetTimer?.();
    this.unsetTimer = undefined;
    if (ms === Infinity) return;
    this.unsetTimer = this.timers.after(ms, () => {
      this.unsetTimer = undefined;
      this.start();
    });
  }

  private nextTogether(): WaitingCall[] {
    const chosen: WaitingCall[] = [];
    let room = TOGETHER;
    for (let one = this.small.next(room); one; one = this.small.next(room)) {
      chosen.push(one);
      room -= one.size;
    }
    return chosen;
  }

  private async runTogether(chosen: readonly WaitingCall[]): Promise<void> {
    const answers = await this.transaction.takeTogether(chosen).catch(() => undefined);
    chosen.forEach((one, place) => {
      this.small.done(one);
      const answer = answers?.[place];
      if (answer) settle(one, answer);
      // Nothing of it was written. Alone it goes through, or fails by itself.
      else this.alone.add(one);
    });
  }

  private async runAlone(one: WaitingCall): Promise<void> {
    try {
      settle(one, await this.transaction.take(one.by, one.call));
    } catch (error) {
      one.reject(error);
    }
  }
}

function settle(one: WaitingCall, answer: AcceptAnswer): void {
  if ('error' in answer) one.reject(answer.error);
  else one.resolve(answer);
}

function sizeOf({ checked }: AcceptCall): number {
  return checked.reduce((sum, one) => sum + 1 + ('draft' in one ? one.draft.bytes / BYTES_OF_ONE : 0), 0);
}
