import { bucketCapacity, fullBucket, isDry, refill, take, type RateBucket } from './rate-bucket.policy';
import { RollingWindow } from './rolling-window.policy';

export const DAY_MS = 86_400_000;

/** What AWS grants one (account, region) at the moment of a request. */
export interface SendLimits {
  /** Recipients per rolling 24 h; -1 is unlimited (aws-facts 3). */
  readonly max24HourSend: number;
  /** Recipients per second. */
  readonly maxSendRate: number;
  /** Burst the bucket holds; the rate itself unless set. */
  readonly bucketCapacity?: number | undefined;
}

/** One request as the limits see it. */
export interface SendDemand {
  /** When it was heard. */
  readonly at: number;
  /** When it was not heard at once: since when it may have waited to be. */
  readonly since?: number | undefined;
  /** All recipients: what the rate counts. */
  readonly recipients: number;
  /** Recipients without mailbox simulator addresses: what the daily quota counts. */
  readonly quotaRecipients: number;
}

export type LimitVerdict = 'ADMITTED' | 'DAILY_QUOTA' | 'RATE';

/** The enforcing side of one (account, region): rolling 24 h quota and strict per-second bucket. */
export class SendGate {
  private readonly day = new RollingWindow(DAY_MS);
  private bucket: RateBucket | undefined;

  /** Decides and, when admitted, charges. A refused request costs nothing, as at AWS. */
  admit(demand: SendDemand, limits: SendLimits): LimitVerdict {
    const used = this.day.sum(demand.at);
    if (
      limits.max24HourSend >= 0 &&
      demand.quotaRecipients > 0 &&
      used + demand.quotaRecipients > limits.max24HourSend
    ) {
      return 'DAILY_QUOTA';
    }
    const bucket = this.bucketAt(demand, limits);
    if (isDry(bucket)) {
      this.bucket = bucket;
      return 'RATE';
    }
    this.bucket = take(bucket, demand.recipients);
    this.day.add(demand.at, demand.quotaRecipients);
    return 'ADMITTED';
  }

  /** Charges without asking: replays what was admitted before a restart. */
  replay(demand: SendDemand, limits: SendLimits): void {
    this.bucket = take(this.bucketAt(demand, limits), demand.recipients);
    this.day.add(demand.at, demand.quotaRecipients);
  }

  sentLast24Hours(now: number): number {
    return this.day.sum(now);
  }

  private bucketAt({ at, since }: SendDemand, limits: SendLimits): RateBucket {
    const capacity = bucketCapacity(limits.maxSendRate, limits.bucketCapacity);
    return refill(this.bucket ?? fullBucket(capacity, at), limits.maxSendRate, capacity, at, since);
  }
}
