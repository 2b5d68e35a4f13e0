import { UnitOfWork } from '@libs/database';
import type { BatchId, SendingAccountId, TenantId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { ClaimRepository } from './claim.repository';
import { EngineSettings } from './engine.settings';
import { OutcomeRepository, type BatchUsage } from './outcome.repository';
import { OutcomeWriter } from './outcome-writer.service';
import { refundsOf, type UsageCount } from './refund.policy';

interface Granted {
  readonly batchId: BatchId;
  readonly sendingAccountId: SendingAccountId;
  readonly messages: readonly { readonly tenantId: TenantId; readonly recipients: number }[];
}

/** A grant as its ticket or the ledger tells it. */
interface UnclaimedGrant extends Granted {
  /** Recipients. */
  readonly granted: number;
  readonly bucketStartMs: number;
}

/** Closes a batch in PostgreSQL and gives back in the ledger what it did not use. */
@Injectable()
export class BatchSettler {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly claims: ClaimRepository,
    private readonly rows: OutcomeRepository,
    private readonly outcomes: OutcomeWriter,
    private readonly ledger: Ledger,
    private readonly settings: EngineSettings,
    private readonly log: Log,
  ) {}

  /**
   * After every attempt has ended and its outcome was given to the writer: the batch is closed with them, and nothing is
   * read back. What the ledger does not learn now the sweeper tells it later.
   */
  async settle(grant: Granted, usage: UsageCount): Promise<void> {
    await this.outcomes.settle({ batchId: grant.batchId, used: usage.used, at: new Date(this.ledger.nowMs()) });
    try {
      await this.tellLedger(grant, usage.byTenant);
    } catch (error) {
      this.log.warn('a grant could not be settled yet; the sweeper will', { batch: grant.batchId, error });
    }
  }

  /** Closes a batch by what its attempts say: for one whose worker is gone. */
  closeBatch(batch: BatchId): Promise<void> {
    return this.uow.forSystem(async () => {
      const usage = await this.rows.usage(batch);
      const used = usage.reduce((sum, entry) => sum + entry.used, 0);
      await this.rows.settleBatches([{ batchId: batch, used, at: new Date(this.ledger.nowMs()) }]);
    });
  }

  /**
   * Gives back a grant that nobody has claimed, and nobody can from now on; of a closed batch, what it did not use. Once,
   * however often it is called. False when its batch is open: whoever claimed it settles it.
   */
  async giveBack(grant: UnclaimedGrant): Promise<boolean> {
    const now = new Date(this.ledger.nowMs());
    const { batchId, sendingAccountId, granted, bucketStartMs } = grant;
    const { state } = await this.uow.forSystem(() =>
      this.claims.tombstone(batchId, sendingAccountId, this.settings.worker, granted, new Date(bucketStartMs), now),
    );
    // Open: its worker lives elsewhere, or its record is about to be replayed.
    if (state === 'OPEN') return false;
    await this.tellLedger(grant, await this.uow.forSystem(() => this.rows.usage(batchId)));
    return true;
  }

  private async tellLedger(grant: Granted, usage: readonly BatchUsage[]): Promise<void> {
    await this.ledger.settle(grant.sendingAccountId, grant.batchId, refundsOf(grant.messages, usage));
  }
}
