import { UnitOfWork } from '@libs/database';
import { Timers, type BatchId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { BatchSettler } from './batch-settler.service';
import { EngineAccounts } from './engine-accounts.service';
import { HeldBatches } from './held-batches';
import { LookPace } from './look-pace';
import { OutcomeRepository } from './outcome.repository';
import { RecoveryService } from './recovery.service';
import { inTurns } from './side-by-side';

const PAGE = 200;
/** Accounts at once. */
const SIDE_BY_SIDE = 8;
/**
 * How long after its slots an open batch counts as abandoned, engine milliseconds: its slots may have been moved by a
 * minute, and a request may take 15 s.
 */
const ABANDONED_MS = 80_000;
/** How often a batch may turn out abandoned, real milliseconds: as often as a worker sweeps. */
const LOOK_MS = 1_000;

/** Gives back what was granted and never used: the redelivery that does not depend on Bull. */
@Injectable()
export class Sweeper {
  private readonly pace: LookPace;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly accounts: EngineAccounts,
    private readonly ledger: Ledger,
    private readonly outcomes: OutcomeRepository,
    private readonly settler: BatchSettler,
    private readonly recovery: RecoveryService,
    private readonly held: HeldBatches,
    private readonly log: Log,
    timers: Timers,
  ) {
    this.pace = new LookPace(timers, LOOK_MS);
  }

  /** Grants past their deadline: tombstone, refund. Their messages are READY and offered again by the feeder. */
  async sweepGrants(): Promise<number> {
    let swept = 0;
    // Asked together: to wake an idle Redis costs more than the question.
    await inTurns(SIDE_BY_SIDE, await this.accounts.all(), async ({ id }) => {
      await inTurns(1, await this.ledger.overdue(id, PAGE), async ({ opId, recipients, bucketStartMs, messages }) => {
        const batchId = opId as BatchId;
        if (this.held.has(batchId)) return;
        const grant = { batchId, sendingAccountId: id, granted: recipients, bucketStartMs, messages };
        if (await this.settler.giveBack(grant)) swept += 1;
      });
    });
    return swept;
  }

  /**
   * Batches whose worker is gone without a record on this host: what they may have sent is in doubt. While a transaction is
   * held for long, the look passes over every batch that ended since: it is paced by what it costs.
   */
  async sweepAbandoned(): Promise<number> {
    const before = new Date(this.ledger.nowMs() - ABANDONED_MS);
    const batches = await this.pace.look(() =>
      this.uow.forLooks((looks) => this.outcomes.within(looks).abandoned(before, PAGE)),
    );
    let swept = 0;
    // One after the other; one that cannot be closed keeps no other waiting.
    await inTurns(1, batches ?? [], async ({ id, sendingAccountId, worker }) => {
      if (this.held.has(id)) return;
      this.log.warn('a batch was abandoned by its worker', { batch: id });
      await this.recovery.recover(id, sendingAccountId, new Map(), 'in-doubt', worker);
      swept += 1;
    });
    return swept;
  }
}
