import type { MessageId, Mode, SendingAccountId, Stream, TenantId } from '@libs/kernel';
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

/** A message that waited on that account, and does so no more. */
export interface EndedMessage {
  readonly id: MessageId;
  readonly tenantId: TenantId;
  readonly sendingAccountId: SendingAccountId;
  readonly stream: Stream;
}

/**
 * Tells the ledger which messages are ready, and which are not any more. A hint: the messages stand in PostgreSQL, the feeder
 * finds what Redis lost, and no claim takes what has ended; so a failure here is no failure of the caller's.
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

  /** Of messages that were canceled or expired: what is listed of them would be granted slots that nobody uses. */
  async withdraw(ended: readonly EndedMessage[]): Promise<void> {
    const lines = new Map<string, { of: EndedMessage; ids: MessageId[] }>();
    for (const message of ended) {
      const name = `${message.sendingAccountId} ${message.tenantId} ${message.stream}`;
      const line = lines.get(name);
      if (line) line.ids.push(message.id);
      else lines.set(name, { of: message, ids: [message.id] });
    }
    for (const { of, ids } of lines.values()) {
      try {
        await this.ledger.withdraw(of.sendingAccountId, of.tenantId, of.stream, ids);
      } catch {
        return; // Redis is away: of slots there are none either.
      }
    }
  }
}
