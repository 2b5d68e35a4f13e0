import { Agent } from 'undici';
import type { Clock } from '@libs/kernel';
import type { UsageMeter } from '../billing/usage-meter';
import type { StateStore } from '../state/state.store';
import type { SigningService } from './signing.service';
import type { SnsEnvelope } from './sns-envelope.policy';

export interface DeliveryOptions {
  /** Real milliseconds before each retry; their number is the number of retries. AWS: three, 20 s apart. */
  readonly retryDelaysMs: readonly number[];
  readonly timeoutMs: number;
  /** Deliveries under way at once, over all subscriptions. */
  readonly concurrency: number;
}

export interface PendingDelivery {
  readonly subscriptionArn: string;
  readonly endpoint: string;
  readonly envelope: SnsEnvelope;
  readonly attempt: number;
}

export interface DeliveryCounts {
  queued: number;
  delivered: number;
  /** Answered 4xx: handled, never retried (aws-facts 7.1). */
  refused: number;
  retried: number;
  dropped: number;
}

/** Posts signed SNS messages over kept-alive connections, with AWS's rules for what is retried. */
export class DeliveryService {
  readonly counts: DeliveryCounts = { queued: 0, delivered: 0, refused: 0, retried: 0, dropped: 0 };
  private readonly queue: PendingDelivery[] = [];
  private head = 0;
  private readonly active = new Set<PendingDelivery>();
  private readonly waiting = new Map<NodeJS.Timeout, PendingDelivery>();
  private readonly agent: Agent;
  private closed = false;

  constructor(
    private readonly store: StateStore,
    private readonly signing: SigningService,
    private readonly origin: () => string,
    private readonly clock: Clock,
    private readonly usage: UsageMeter,
    private readonly options: DeliveryOptions,
  ) {
    this.agent = new Agent({
      connections: options.concurrency,
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      connect: { timeout: Math.min(options.timeoutMs, 5000) },
      keepAliveTimeout: 4000,
    });
  }

  get pending(): number {
    return this.queue.length - this.head + this.active.size + this.waiting.size;
  }

  enqueue(delivery: Omit<PendingDelivery, 'attempt'>): void {
    this.counts.queued += 1;
    this.push({ ...delivery, attempt: 0 });
  }

  /** Takes back what an earlier run had not delivered. */
  restore(deliveries: readonly PendingDelivery[]): void {
    for (const delivery of deliveries) this.push(delivery);
  }

  /** Stops, and hands over what is not delivered; what is under way may arrive twice, as with SNS. */
  async drain(): Promise<PendingDelivery[]> {
    const left = [...this.active, ...this.waiting.values(), ...this.queue.slice(this.head)];
    this.clear();
    this.closed = true;
    await this.agent.destroy();
    return left;
  }

  private clear(): void {
    for (const timer of this.waiting.keys()) clearTimeout(timer);
    this.waiting.clear();
    this.queue.length = 0;
    this.head = 0;
  }

  /** Forgets what waits, what is under way and what was counted. */
  reset(): void {
    this.clear();
    this.active.clear();
    Object.assign(this.counts, { queued: 0, delivered: 0, refused: 0, retried: 0, dropped: 0 });
  }

  private push(delivery: PendingDelivery): void {
    this.queue.push(delivery);
    this.pump();
  }

  private pump(): void {
    while (!this.closed && this.active.size < this.options.concurrency) {
      const next = this.queue[this.head];
      if (next === undefined) break;
      this.head += 1;
      if (this.head > 1024 && this.head * 2 > this.queue.length) {
        this.queue.splice(0, this.head);
        this.head = 0;
      }
      this.active.add(next);
      void this.attempt(next).finally(() => {
        this.active.delete(next);
        this.pump();
      });
    }
  }

  private async attempt(delivery: PendingDelivery): Promise<void> {
    this.meter(delivery);
    const status = await this.post(delivery).catch(() => 0);
    // Answered after a stop or a reset: nobody asked for it any more.
    if (this.closed || !this.active.has(delivery)) return;
    if (status >= 200 && status < 300) this.counts.delivered += 1;
    else if (status >= 400 && status < 500) this.counts.refused += 1;
    else this.retry(delivery);
  }

  private meter({ envelope }: PendingDelivery): void {
    const topic = this.store.state.topics.get(envelope.TopicArn);
    if (topic === undefined || envelope.Type !== 'Notification') return;
    this.usage.deliveryTried(topic.accountId, topic.region, this.clock.nowMs());
  }

  private retry(delivery: PendingDelivery): void {
    const delay = this.options.retryDelaysMs[delivery.attempt];
    if (delay === undefined) {
      this.counts.dropped += 1;
      return;
    }
    this.counts.retried += 1;
    const again = { ...delivery, attempt: delivery.attempt + 1 };
    const timer = setTimeout(() => {
      this.waiting.delete(timer);
      this.push(again);
    }, delay);
    this.waiting.set(timer, again);
  }

  private async post({ envelope, endpoint, subscriptionArn }: PendingDelivery): Promise<number> {
    const version = this.store.state.topics.get(envelope.TopicArn)?.signatureVersion ?? '1';
    const { UnsubscribeURL: unsubscribe, ...signed } = envelope;
    const body = JSON.stringify({
      ...signed,
      SignatureVersion: version,
      Signature: await this.signing.signature(envelope, version),
      SigningCertURL: `${this.origin()}${this.signing.certificatePath}`,
      ...(unsubscribe === undefined ? {} : { UnsubscribeURL: unsubscribe }),
    });
    const url = new URL(endpoint);
    const { username, password } = url;
    const answer = await this.agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers: {
        'content-type': 'text/plain; charset=UTF-8',
        'user-agent': 'Amazon Simple Notification Service Agent',
        'x-amz-sns-message-type': envelope.Type,
        'x-amz-sns-message-id': envelope.MessageId,
        'x-amz-sns-topic-arn': envelope.TopicArn,
        ...(envelope.Type === 'SubscriptionConfirmation' ? {} : { 'x-amz-sns-subscription-arn': subscriptionArn }),
        ...(username === ''
          ? {}
          : { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }),
      },
      body,
    });
    await answer.body.dump();
    return answer.statusCode;
  }
}
