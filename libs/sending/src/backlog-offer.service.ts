import type { Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import { Ledger, type QueuedMessage, type TenantLimits } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { OfferLimits } from './offer-limits.service';

/** READY messages of one tenant for one account and stream. */
export interface ReadyGroup {
  readonly tenantId: TenantId;
  readonly mode: Mode;
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
  constructor(
    private readonly ledger: Ledger,
    private readonly limits: OfferLimits,
  ) {}

  async offer(groups: readonly ReadyGroup[]): Promise<void> {
    for (const { sendingAccountId, tenantId, mode, stream, limits, messages } of groups) {
      try {
        // Test mode reaches nobody: there is nothing to grow gradually.
        const allowed = mode === 'LIVE' ? await this.limits.of(tenantId, limits) : limits;
        await this.ledger.offer(sendingAccountId, tenantId, stream, allowed, messages);
      } catch {
        return; // Redis is away: the others would fail too, and the feeder will offer them all.
      }
    }
  }
}
