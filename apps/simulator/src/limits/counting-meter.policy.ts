import { bucketCapacity, fullBucket, isDry, refill, take, type RateBucket } from './rate-bucket.policy';
import { RollingWindow } from './rolling-window.policy';
import { DAY_MS, type SendDemand, type SendLimits } from './send-gate.policy';

/** One send request as it came in, with the verdict it got. */
export interface MeteredSend extends SendDemand {
  /** `accepted`, or the error name it was refused with. */
  readonly verdict: string;
  /** Refused or broken by an injected fault, or by the `throttled@` test address: counted apart. */
  readonly injected: boolean;
}

interface WorstWindow {
  recipients: number;
  limit: number;
  at: number;
}

export interface MeterReading {
  offeredRequests: number;
  offeredRecipients: number;
  acceptedRequests: number;
  acceptedRecipients: number;
  /** Mailbox simulator and test addresses among the accepted recipients: they use no daily quota. */
  acceptedSimulatorRecipients: number;
  refused: Record<string, number>;
  injected: Record<string, number>;
  /** Requests that came when accepted recipients of the last 24 h plus their own exceeded the quota. */
  overQuota: number;
  /** Requests that came when the bucket was dry, as far as they certainly did. */
  overRate: number;
  worstDayAccepted: WorstWindow;
  worstDayOffered: WorstWindow;
  /**
   * Recipients that certainly came within a second: a request that may have waited to be heard counts from when that began. Of
   * the last message only the first recipient: it may go when that one may, and the others take the time after it.
   */
  worstSecondAccepted: WorstWindow;
  worstSecondOffered: WorstWindow;
}

/**
 * The second meter: it refuses nothing and shares no state with the enforcing gate. It sees refused requests too, so a
 * client that ran over a limit is found even though enforcement kept the mail from leaving.
 */
export class CountingMeter {
  private readonly dayAccepted = new RollingWindow(DAY_MS);
  private readonly dayOffered = new RollingWindow(DAY_MS);
  private readonly secondAccepted = new RollingWindow(1000);
  private readonly secondOffered = new RollingWindow(1000);
  private bucket: RateBucket | undefined;
  private readonly counts: MeterReading = emptyReading();

  observe(send: MeteredSend, limits: SendLimits): void {
    const { counts } = this;
    const accepted = send.verdict === 'accepted';
    if (send.injected && !accepted) {
      counts.injected[send.verdict] = (counts.injected[send.verdict] ?? 0) + 1;
      return;
    }
    const capacity = bucketCapacity(limits.maxSendRate, limits.bucketCapacity);
    const full = fullBucket(capacity, send.at);
    const bucket = refill(this.bucket ?? full, limits.maxSendRate, capacity, send.at, send.since);
    const unlimited = limits.max24HourSend < 0 || send.quotaRecipients === 0;
    if (!unlimited && this.dayAccepted.sum(send.at) + send.quotaRecipients > limits.max24HourSend)
      counts.overQuota += 1;
    if (isDry(bucket)) counts.overRate += 1;
    this.bucket = accepted ? take(bucket, send.recipients) : bucket;

    counts.offeredRequests += 1;
    counts.offeredRecipients += send.recipients;
    note(counts.worstDayOffered, this.dayOffered, send.at, send.quotaRecipients, limits.max24HourSend);
    noteSecond(counts.worstSecondOffered, this.secondOffered, send, limits.maxSendRate);
    if (!accepted) {
      counts.refused[send.verdict] = (counts.refused[send.verdict] ?? 0) + 1;
      return;
    }
    counts.acceptedRequests += 1;
    counts.acceptedRecipients += send.recipients;
    counts.acceptedSimulatorRecipients += send.recipients - send.quotaRecipients;
    note(counts.worstDayAccepted, this.dayAccepted, send.at, send.quotaRecipients, limits.max24HourSend);
    noteSecond(counts.worstSecondAccepted, this.secondAccepted, send, limits.maxSendRate);
  }

  read(): MeterReading {
    return structuredClone(this.counts);
  }
}

function note(worst: WorstWindow, window: RollingWindow, at: number, recipients: number, limit: number): void {
  window.add(at, recipients);
  const sum = window.sum(at);
  if (sum > worst.recipients) Object.assign(worst, { recipients: sum, limit, at });
}

function noteSecond(worst: WorstWindow, window: RollingWindow, send: MeteredSend, limit: number): void {
  const { at, since = at, recipients } = send;
  if (recipients === 0) return;
  window.add(since, recipients);
  const sum = window.sum(at) - recipients + 1;
  if (sum > worst.recipients) Object.assign(worst, { recipients: sum, limit, at });
}

function emptyReading(): MeterReading {
  const worst = (): WorstWindow => ({ recipients: 0, limit: 0, at: 0 });
  return {
    offeredRequests: 0,
    offeredRecipients: 0,
    acceptedRequests: 0,
    acceptedRecipients: 0,
    acceptedSimulatorRecipients: 0,
    refused: {},
    injected: {},
    overQuota: 0,
    overRate: 0,
    worstDayAccepted: worst(),
    worstDayOffered: worst(),
    worstSecondAccepted: worst(),
    worstSecondOffered: worst(),
  };
}
