import { UnitOfWork } from '@libs/database';
import type { BatchId, SendingAccountId, TenantId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { OutcomeRepository } from './outcome.repository';
import { refundsOf } from './refund.policy';

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
    private readonly ledger: Ledger,
    private readonly log: Log,
  ) {}

  /** After every attempt has ended. What fails here is done by the sweeper later. */
  async settle(grant: SettledGrant): Promise<void> {
    try {
      await this.closeBatch(grant.batchId);
      await this.refund(grant);
    } catch (error) {
      this.log.warn('a batch could not be settled yet; the sweeper will', { batch: grant.batchId, error });
    }
  }

  closeBatch(batch: BatchId): Promise<void> {
    return this.uow.forSystem(async () => {
      const usage = await this.rows.usage(batch);
      await this.rows.settleBatch(
        batch,
        usage.reduce((sum, entry) => sum + entry.used, 0),
        new Date(this.ledger.nowMs()),
      );
    });
  }

  /** Gives back what a closed batch did not use; once, however often it is called. */
  async refund(grant: SettledGrant): Promise<void> {
    const usage = await this.uow.forSystem(() => this.rows.usage(grant.batchId));
    await this.ledger.settle(grant.sendingAccountId, grant.batchId, refundsOf(grant.messages, usage));
  }
}
