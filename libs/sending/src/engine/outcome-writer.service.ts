import { UnitOfWork } from '@libs/database';
import { Timers } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { Failpoints } from './failpoints';
import { OutcomeRepository, type AttemptOutcome } from './outcome.repository';

const FLUSH_MS = 15;
const FLUSH_ROWS = 500;
const RETRY_MS = 500;

interface Pending {
  readonly outcome: AttemptOutcome;
  readonly written: () => void;
}

/**
 * Collects outcomes for a moment and writes them together: one row a transaction is 10 to 50 times slower. While
 * PostgreSQL is away they wait here, and the flight recorder has them too.
 */
@Injectable()
export class OutcomeWriter {
  private waiting: Pending[] = [];
  private cancelTimer: (() => void) | undefined;
  private writing = false;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: OutcomeRepository,
    private readonly timers: Timers,
    private readonly failpoints: Failpoints,
    private readonly log: Log,
  ) {}

  /** Resolves when the outcome is committed; never rejects. */
  write(outcome: AttemptOutcome): Promise<void> {
    return new Promise((written) => {
      this.waiting.push({ outcome, written });
      if (this.waiting.length >= FLUSH_ROWS) this.flushSoon(0);
      else this.flushSoon(FLUSH_MS);
    });
  }

  /** How many outcomes are not committed yet. */
  get backlog(): number {
    return this.waiting.length;
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
    const batch = this.waiting.splice(0, FLUSH_ROWS);
    let pause = this.waiting.length > 0 ? 0 : FLUSH_MS;
    try {
      await this.uow.forSystem(async () => {
        await this.rows.apply(batch.map((pending) => pending.outcome));
        this.failpoints.reach('before-outcome-commit');
      });
      this.failpoints.reach('after-outcome-commit');
      for (const pending of batch) pending.written();
    } catch (error) {
      this.log.error('outcomes could not be written; trying again', { count: batch.length, error });
      this.waiting.unshift(...batch);
      pause = RETRY_MS;
    } finally {
      this.writing = false;
    }
    if (this.waiting.length > 0) this.flushSoon(pause);
  }
}
