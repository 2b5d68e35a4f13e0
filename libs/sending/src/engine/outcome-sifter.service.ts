import { UnitOfWork } from '@libs/database';
import { Log, Metrics } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { isRefusedData } from '../poison.policy';
import { OutcomeRepository, type AttemptOutcome, type SettledBatch } from './outcome.repository';

const STORED_INSTEAD = ['without-words', 'in-doubt', 'nothing'] as const;

/**
 * Writes outcomes so that one which PostgreSQL refuses (a value out of range, an encoding, a constraint) keeps no other from
 * being written. The odd one gets the best end that is taken: the same without SES's words, or in doubt for good. Where
 * nothing is taken its attempt stays INTENT, which nobody sends again. Each time the log has the message and its true end.
 */
@Injectable()
export class OutcomeSifter {
  private readonly refused;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: OutcomeRepository,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.refused = metrics.counter(
      'outcomes_refused_total',
      'Outcomes that PostgreSQL refused, by what was stored instead',
      ['stored'],
      STORED_INSTEAD,
    );
  }

  /**
   * All in one transaction; by halves when there is an odd one among them.
   * @throws what is no fault of theirs (a lost connection): to be called again then, repeating it changes nothing
   */
  async write(outcomes: readonly AttemptOutcome[]): Promise<void> {
    try {
      await this.uow.forEngine((unit) => this.rows.within(unit).apply(outcomes));
    } catch (error) {
      const [only] = outcomes;
      if (!isRefusedData(error) || only === undefined) throw error;
      if (outcomes.length === 1) await this.endOtherwise(only, error);
      else {
        const half = Math.ceil(outcomes.length / 2);
        await this.write(outcomes.slice(0, half));
        await this.write(outcomes.slice(half));
      }
    }
  }

  /** Each by itself; one that cannot be closed stays OPEN, and the sweeper tries again. */
  async settle(batches: readonly SettledBatch[]): Promise<void> {
    for (const batch of batches) {
      const closed = await this.isTaken((rows) => rows.settleBatches([batch]));
      if (!closed) this.log.error('PostgreSQL refuses to close a batch', { batch: batch.batchId, used: batch.used });
    }
  }

  private async endOtherwise(outcome: AttemptOutcome, error: unknown): Promise<void> {
    let stored: (typeof STORED_INSTEAD)[number] = 'nothing';
    if (await this.isTaken((rows) => rows.applyWithoutWords(outcome))) stored = 'without-words';
    else if (await this.isTaken((rows) => rows.endInDoubt(outcome))) stored = 'in-doubt';
    const { tenantId: tenant, messageId: message, attemptId: attempt, end } = outcome;
    this.refused.inc({ stored });
    this.log.error('PostgreSQL refuses what became of a message', { tenant, message, attempt, end, stored, error });
  }

  private async isTaken(write: (rows: ReturnType<OutcomeRepository['within']>) => Promise<void>): Promise<boolean> {
    try {
      await this.uow.forEngine((unit) => write(this.rows.within(unit)));
      return true;
    } catch (error) {
      if (isRefusedData(error)) return false;
      throw error;
    }
  }
}
