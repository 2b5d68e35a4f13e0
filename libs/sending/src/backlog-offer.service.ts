import type { SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { Ledger, type QueuedMessage, type TenantLimits } from '@libs/quota';
import { Injectable } from '@nestjs/common';

/** READY messages of one tenant for one account and stream. */
export interface ReadyGroup {
  readonly tenantId: TenantId;
  readonly sendingAccountId: SendingAccountId;
  readonly stream: Stream;
  readonly limits: TenantLimits;
  readonly messages: readonly QueuedMessage[];
}

/**
 * Tells the ledger that messages are ready. A hint: the messages stand in PostgreSQL, and the feeder finds what Redis
 * lost; so a failure here is no failure of the caller's.
 */
@Injectable()
export class ReadyOffers {
  constructor(private readonly ledger: Ledger) {}

  async offer(groups: readonly ReadyGroup[]): Promise<void> {
    for (const group of groups) {
      try {
        await this.ledger.offer(group.sendingAccountId, group.tenantId, group.stream, group.limits, group.messages);
      } catch {
        return; // Redis is away: the others would fail too, and the feeder will offer them all.
      }
    }
  }
}
