import { UnitOfWork } from '@libs/database';
import { Timers } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { isRefusedData } from '../poison.policy';
import { Failpoints } from './failpoints';
import { OutcomeSifter } from './outcome-sifter.service';
import { OutcomeRepository, type AttemptOutcome, type SettledBatch } from './outcome.repository';

/**
 * Real milliseconds. Nobody waits for an outcome, and the flight recorder has it: longer than the 10 to 20 ms that would do for
 * latency, because at moderate load the transactions are what costs: 0.7 ms of PostgreSQL's CPU each, most of it for the
 * commit, beside 15 us for a message (for 1,600 messages a second: with 15 ms 50 of them, with 90 ms 11, with 200 ms 5).
 */
const FLUSH_MS = 200;
const FLUSH_ROWS = 500;
/** When it is behind: a slow answer of the database must not become the limit of the rate. */
const MOST_ROWS = 2_000;
const RETRY_MS = 500;

interface Closing {
  readonly batch: SettledBatch;
  /** How many outcomes must be committed with it or before it. */
  readonly after: number;
  readonly closed: () => void;
}

/**
 * Collects outcomes for a moment and writes them together, in their order: one row a transaction is 10 to 50 times
 * slower. While PostgreSQL is away they wait here, and the flight recorder has them too.
 */
@Injectable()
export class OutcomeWriter {
  private waiting: AttemptOutcome[] = [];
  private closing: Closing[] = [];
  private taken = 0;
  private committed = 0;
  private cancelTimer: (() => void) | undefined;
  private writing = false;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: OutcomeRepository,
    private readonly sifter: OutcomeSifter,
    private readonly timers: Timers,
    private readonly failpoints: Failpoints,
    private readonly log: Log,
  ) {}

  /** Takes an outcome; it is committed a moment later. */
  write(outcome: AttemptOutcome): void {
    this.taken += 1;
    this.waiting.push(outcome);
    this.flushSoon(this.waiting.length >= FLUSH_ROWS ? 0 : FLUSH_MS);
  }

  /** Closes a batch whose outcomes were all given here. Resolves when they and it are committed; never rejects. */
  settle(batch: SettledBatch): Promise<void> {
    return new Promise((closed) => {
      this.closing.push({ batch, after: this.taken, closed });
      this.flushSoon(FLUSH_MS);
    });
  }

  /** How many outcomes are not committed yet, those that are being written included. */
  get uncommitted(): number {
    return this.taken - this.committed;
  }

  private flushSoon(ms: number): void {
    if (this.writing) return;
    if (ms > 0 && this.cancelTimer) return;
    this.cancelTimer?.();
    this.cancelTimer = this.timers.after(ms, () => {
      this.cancelTimer = undefined;
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
    this.writing = true;
    const outcomes = this.waiting.splice(0, MOST_ROWS);
    const upTo = this.committed + outcomes.length;
    const later = this.closing.findIndex(({ after }) => after > upTo);
    const closing = this.closing.splice(0, later < 0 ? this.closing.length : later);
    let pause = this.waiting.length >= FLUSH_ROWS ? 0 : FLUSH_MS;
    try {
      await this.commit(
        outcomes,
        closing.map(({ batch }) => batch),
      );
      this.failpoints.reach('after-outcome-commit');
      this.committed = upTo;
      for (const { closed } of closing) closed();
    } catch (error) {
      this.log.error('outcomes could not be written; trying again', { count: outcomes.length, error });
      this.waiting.unshift(...outcomes);
      this.closing.unshift(...closing);
      pause = RETRY_MS;
    } finally {
      this.writing = false;
    }
    if (this.waiting.length + this.closing.length > 0) this.flushSoon(pause);
  }

  /** Together; when PostgreSQL refuses something of it, that is sifted out. */
  private async commit(outcomes: readonly AttemptOutcome[], batches: readonly SettledBatch[]): Promise<void> {
    try {
      await this.uow.forEngine(async (unit) => {
        const rows = this.rows.within(unit);
        await rows.apply(outcomes);
        await rows.settleBatches(batches);
        this.failpoints.reach('before-outcome-commit');
      });
    } catch (error) {
      if (!isRefusedData(error)) throw error;
      await this.sifter.write(outcomes);
      await this.sifter.settle(batches);
    }
  }
}
