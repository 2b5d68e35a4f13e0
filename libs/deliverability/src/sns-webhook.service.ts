import { UnitOfWork } from '@libs/database';
import { confirmSubscription } from '@libs/fleet';
import { EngineClock, type Clock } from '@libs/kernel';
import { JobQueue, Outbox } from '@libs/queueing';
import { processEvents } from './deliverability.jobs';
import { SnsForged } from './deliverability.errors';
import type { NotificationRepository } from './notification.repository';
import { isLate, MAX_SNS_BODY_BYTES, parseSnsMessage, type SnsMessage, regionOfTopic } from './sns-message.policy';
import type { SnsVerifier } from './sns-verifier.service';

const SLOT_MS = 100;

/** What SNS posts: believed only when it is signed and for a topic of ours, stored before it is answered. */
export class SnsWebhookService {
  private lastSlot = -1;

  constructor(
    private readonly verifier: SnsVerifier,
    private readonly rows: NotificationRepository,
    private readonly uow: UnitOfWork,
    private readonly outbox: Outbox,
    private readonly queue: JobQueue,
    private readonly clock: EngineClock,
    private readonly real: Clock,
  ) {}

  /**
   * Verifies and stores one delivery. 'duplicate' when SNS delivered it before: nothing changes, and SNS is content.
   * @throws SnsForged when it is not from SNS or not for a topic of ours (403, nothing stored)
   * @throws CertificateUnavailable, or the database's error, when that cannot be told just now (5xx: SNS tries again)
   */
  async receive(rawBody: string): Promise<'stored' | 'duplicate'> {
    if (Buffer.byteLength(rawBody, 'utf8') > MAX_SNS_BODY_BYTES) {
      throw new SnsForged('too-large', `a delivery of SNS has at most ${String(MAX_SNS_BODY_BYTES)} bytes`);
    }
    const message = parseSnsMessage(rawBody);
    if (!message) throw new SnsForged('unreadable', 'the body is not a delivery of SNS');
    // The topic first: nobody without one of ours can make us fetch anything. Its form before that: a text the database
    // cannot take must be refused like any other forgery, not answered as a fault of ours that SNS would repeat.
    if (regionOfTopic(message.TopicArn) === undefined) {
      throw new SnsForged('foreign-topic', 'TopicArn is not the ARN of a topic');
    }
    const account = await this.uow.forEdge(() => this.rows.accountOfTopic(message.TopicArn));
    if (account === undefined) throw new SnsForged('foreign-topic', 'the topic belongs to no sending account');
    await this.verifier.verify(message);
    const added = await this.uow.forEdge(async () => {
      const isNew = await this.rows.add({
        id: message.MessageId,
        sendingAccountId: account,
        topicArn: message.TopicArn,
        type: message.Type,
        body: rawBody,
        receivedAt: this.clock.now(),
        state: message.Type === 'Notification' ? 'STORED' : 'DONE',
        reason: isLate(message.Timestamp, this.real.nowMs()) ? 'signed more than an hour before it came' : null,
      });
      if (isNew && message.Type === 'SubscriptionConfirmation') {
        // By API with our own credentials; the SubscribeURL is never fetched (SECURITY.md 53).
        await this.outbox.add(confirmSubscription, {
          sendingAccountId: account,
          topicArn: message.TopicArn,
          token: message.Token,
        });
      }
      return isNew;
    });
    if (added) this.hint(message);
    return added ? 'stored' : 'duplicate';
  }

  /** Tells a worker that there is something to do. Not awaited: without Redis the worker's tick finds it. */
  private hint(message: SnsMessage): void {
    const now = this.real.nowMs();
    const slot = Math.floor(now / SLOT_MS);
    if (message.Type !== 'Notification' || slot === this.lastSlot) return;
    this.lastSlot = slot;
    const delayMs = (slot + 1) * SLOT_MS - now + 10;
    this.queue.enqueue(processEvents, { slot }, { delayMs }).catch(() => undefined);
  }
}
