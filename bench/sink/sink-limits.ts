import { refill, type RateBucket } from '../../apps/simulator/src/limits/rate-bucket.policy';

export interface SinkAccount {
  /** 12 digits. */
  readonly accountId: string;
  /** Recipients per second; also the depth of the bucket, as strict as SES's documentation reads. */
  readonly rate: number;
  /** Recipients per rolling 24 h of the sink's clock; -1 = unlimited. */
  readonly quota: number;
}

const DAY_MINUTES = 1_440;
/** Float arithmetic must not turn an exactly refilled token into a refusal. */
const EPSILON = 1e-6;

/**
 * What SES would allow one account: a bucket of R recipients refilled with R a second, and a rolling day counted in minutes
 * of a clock that may run faster than real time.
 */
export class SinkLimits {
  private bucket: RateBucket;
  /** Recipients by minute of the sink's clock, oldest first; `sum` is their total. */
  private readonly minutes: { readonly minute: number; recipients: number }[] = [];
  private sum = 0;

  constructor(
    readonly account: SinkAccount,
    private readonly clockSpeed: number,
    nowUs: number,
  ) {
    this.bucket = { tokens: account.rate, at: nowUs / 1_000 };
  }

  /**
   * Charges the recipients, or says what refuses them.
   * @param sinceUs since when the request may have waited to be heard: nobody is refused for the sink's own pauses
   */
  take(recipients: number, nowUs: number, sinceUs = nowUs): 'ok' | 'rate' | 'day' {
    const { rate, quota } = this.account;
    this.bucket = refill(this.bucket, rate, rate, nowUs / 1_000, sinceUs / 1_000);
    // Stricter than SES, which lets a message of many recipients through on one token. One that is larger than the bucket needs a full one.
    if (this.bucket.tokens < Math.min(recipients, rate) - EPSILON) return 'rate';
    if (quota >= 0 && this.used(nowUs) + recipients > quota) return 'day';
    this.bucket = { ...this.bucket, tokens: this.bucket.tokens - recipients };
    this.sum += recipients;
    const minute = this.minuteAt(nowUs);
    const last = this.minutes[this.minutes.length - 1];
    if (last?.minute === minute) last.recipients += recipients;
    else this.minutes.push({ minute, recipients });
    return 'ok';
  }

  /** Recipients of the last 24 hours: a minute is forgotten when all of it is a day old. */
  used(nowUs: number): number {
    const oldest = this.minuteAt(nowUs) - DAY_MINUTES;
    for (let first = this.minutes[0]; first && first.minute < oldest; first = this.minutes[0]) {
      this.sum -= first.recipients;
      this.minutes.shift();
    }
    return this.sum;
  }

  private minuteAt(nowUs: number): number {
    return Math.floor((nowUs * this.clockSpeed) / 60e6);
  }
}
