import { UnitOfWork } from '@libs/database';
import type { BatchId, SendingAccountId, TenantId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { OutcomeRepository, type BatchUsage } from './outcome.repository';
import { OutcomeWriter } from './outcome-writer.service';
import { refundsOf, type UsageCount } from './refund.policy';

interface SettledGrant {
  readonly batchId: BatchId;
  readonly sendingAccountId: SendingAccountId;
  readonly messages: readonly { readonly tenantId: TenantId; readonly recipients: number }[];
}

/** Closes a batch in PostgreSQL and gives back in the ledger what it did not use. */
@Injectable()
export class BatchSettler {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: OutcomeRepository,
    private readonly outcomes: OutcomeWriter,
    private readonly ledger: Ledger,
    private readonly log: Log,
  ) {}

  /**
   * After every attempt has ended and its outcome was given to the writer: the batch is closed with them, and nothing is
   * read back. What the ledger does not learn now the sweeper tells it later.
   */
  async settle(grant: SettledGrant, usage: UsageCount): Promise<void> {
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

  /** Gives back what a closed batch did not use; once, however often it is called. */
  async refund(grant: SettledGrant): Promise<void> {
    await this.tellLedger(grant, await this.uow.forSystem(() => this.rows.usage(grant.batchId)));
  }

  private async tellLedger(grant: SettledGrant, usage: readonly BatchUsage[]): Promise<void> {
    await this.ledger.settle(grant.sendingAccountId, grant.batchId, refundsOf(grant.messages, usage));
  }
}
