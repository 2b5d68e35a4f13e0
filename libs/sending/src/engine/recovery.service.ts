import { UnitOfWork } from '@libs/database';
import { Timers, type AttemptId, type BatchId, type SendingAccountId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { BatchSettler } from './batch-settler.service';
import { ClaimRepository } from './claim.repository';
import { EngineSettings } from './engine.settings';
import { FlightRecorder, type TakenRecord } from './flight-recorder.service';
import type { Evidence } from './flight-record.policy';
import { OutcomeRepository } from './outcome.repository';
import { OutcomeSifter } from './outcome-sifter.service';
import { endFromEvidence } from './recovery.policy';

const RETRY_MS = 500;

/** Ends attempts whose worker cannot: it died, or never learned whether its claim was committed. */
@Injectable()
export class RecoveryService {
  /** Taken over, not yet replayed to the end: kept when PostgreSQL fails in between. */
  private readonly taken: TakenRecord[] = [];

  constructor(
    private readonly uow: UnitOfWork,
    private readonly claims: ClaimRepository,
    private readonly outcomes: OutcomeRepository,
    private readonly sifter: OutcomeSifter,
    private readonly settler: BatchSettler,
    private readonly recorder: FlightRecorder,
    private readonly ledger: Ledger,
    private readonly settings: EngineSettings,
    private readonly timers: Timers,
    private readonly log: Log,
  ) {}

  /**
   * A claim failed or its answer was lost. Whatever it left is given back: nothing was sent on it. Tries until
   * PostgreSQL answers; if this process dies before, its recorder says the same.
   */
  async afterFailedClaim(batch: {
    readonly batchId: BatchId;
    readonly sendingAccountId: SendingAccountId;
  }): Promise<void> {
    for (;;) {
      try {
        await this.recover(batch.batchId, batch.sendingAccountId, new Map(), 'unstarted', this.settings.worker);
        this.recorder.closed(batch.batchId);
        return;
      } catch (error) {
        this.log.warn('what a failed claim left behind cannot be given back yet', { batch: batch.batchId, error });
        await this.timers.sleep(RETRY_MS);
      }
    }
  }

  /** Replays the records of dead processes of this host. Answers how many there were. */
  async replayDead(): Promise<number> {
    this.taken.push(...this.recorder.takeDead());
    let replayed = 0;
    for (let record = this.taken[0]; record !== undefined; record = this.taken[0]) {
      for (const { batchId, sendingAccountId } of record.open) {
        await this.recover(batchId, sendingAccountId, record.evidence, 'unstarted', record.worker);
      }
      this.log.info('replayed the record of a dead worker', { worker: record.worker, batches: record.open.length });
      record.done();
      this.taken.shift();
      replayed += 1;
    }
    return replayed;
  }

  /**
   * Ends every open attempt of a batch by the evidence; without evidence, as told: `unstarted` when a record would have
   * it, `in-doubt` when nobody can know. A batch that another worker claimed is left alone: a ticket may have been
   * delivered twice, and what one of the two never started, the other may be sending.
   */
  async recover(
    batch: BatchId,
    account: SendingAccountId,
    evidence: ReadonlyMap<AttemptId, Evidence>,
    otherwise: 'unstarted' | 'in-doubt',
    worker: string,
  ): Promise<void> {
    const now = new Date(this.ledger.nowMs());
    const open = await this.uow.forSystem(async () => {
      // The tombstone first: a claim that is still on its way to commit either comes before it, or never.
      const owner = await this.claims.tombstone(batch, account, this.settings.worker, 0, now, now);
      return owner.state === 'OPEN' && owner.worker === worker ? this.outcomes.openAttempts(batch) : undefined;
    });
    if (open === undefined) return;
    const endOf = (attempt: AttemptId) => endFromEvidence(evidence.get(attempt), otherwise);
    if (open.length > 0) {
      await this.sifter.write(open.map((attempt) => ({ ...attempt, end: endOf(attempt.attemptId), at: now })));
    }
    await this.settler.closeBatch(batch);
  }
}
