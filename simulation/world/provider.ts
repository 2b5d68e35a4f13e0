import type { AttemptId, MessageId, SendingAccountId } from '@libs/kernel';
import type { Chance } from '../chance';
import { RollingWindow } from '../rolling-window';
import type { VirtualTime } from './virtual-time';

const DAY_MS = 86_400_000;
/** A second, less what clocks of whole milliseconds can be apart at its two ends. */
const SECOND_MS = 995;
/** A cut or a raise is known to the ledger after the next look and what was granted before it has gone. */
const OBSERVED_AFTER_MS = 160_000;

export interface Arrival {
  readonly account: SendingAccountId;
  readonly attempt: AttemptId;
  readonly message: MessageId;
  readonly recipients: number;
  /** When the process wrote the request, and when SES read it. */
  readonly departedMs: number;
}

/** SES's answer as the sender sees it; `silence` never comes. `taken` says what really happened. */
export type Answer =
  | { readonly kind: 'sent'; readonly sesMessageId: string }
  | { readonly kind: 'rate' | 'daily-quota' | 'paused' | 'in-doubt' | 'unsent'; readonly code: string }
  | { readonly kind: 'silence' };

/** How SES misbehaves at the moment: probabilities per request. */
export interface Mood {
  throttle: number;
  error: number;
  acceptThenReset: number;
  resetBefore: number;
  hang: number;
}

export const CALM: Readonly<Mood> = { throttle: 0, error: 0, acceptThenReset: 0, resetBefore: 0, hang: 0 };

interface Account {
  quota: number;
  rate: number;
  paused: boolean;
  /** Highest limits of late: what a sender may not know of yet. */
  limits: { readonly sinceMs: number; readonly quota: number; readonly rate: number }[];
  readonly day: RollingWindow;
  readonly second: RollingWindow;
}

/** What the provider tells the checker about each request. */
export interface ProviderEvents {
  /** SES took it. `overQuota` recipients beyond what its exact rolling day allows. */
  taken(arrival: Arrival, overQuota: number): void;
  /** Requests of one second, by the moment they were written, with the highest rate of late. */
  written(account: SendingAccountId, inSecond: number, rate: number, largest: number): void;
}

/** SES, with its own exact rolling 24 hours and its own count of every second. */
export class Provider {
  readonly accounts = new Map<SendingAccountId, Account>();
  mood: Mood = { ...CALM };
  /** When nobody ran who could have looked at the limits. */
  unwatched = { fromMs: 0, untilMs: 0 };
  private count = 0;
  private largest = 1;

  constructor(
    private readonly time: VirtualTime,
    private readonly chance: Chance,
    private readonly events: ProviderEvents,
  ) {}

  add(id: SendingAccountId, quota: number, rate: number): void {
    this.accounts.set(id, {
      quota,
      rate,
      paused: false,
      limits: [{ sinceMs: 0, quota, rate }],
      day: new RollingWindow(DAY_MS),
      second: new RollingWindow(SECOND_MS),
    });
  }

  setLimits(id: SendingAccountId, quota: number, rate: number): void {
    const account = this.account(id);
    Object.assign(account, { quota, rate });
    account.limits.push({ sinceMs: this.time.nowMs, quota, rate });
  }

  getAccount(id: SendingAccountId): { quota: number; rate: number; sent: number; paused: boolean } {
    const { quota, rate, paused, day } = this.account(id);
    return { quota, rate, paused, sent: day.sum(this.time.nowMs) };
  }

  /** The process writes a request. */
  written(id: SendingAccountId, recipients: number): void {
    const account = this.account(id);
    this.largest = Math.max(this.largest, recipients);
    account.second.add(this.time.nowMs, recipients);
    this.events.written(id, account.second.sum(this.time.nowMs), this.allowed(account).rate, this.largest);
  }

  /** The request arrives. */
  receive(arrival: Arrival): Answer {
    const account = this.account(arrival.account);
    const { mood, chance } = this;
    if (chance.happens(mood.resetBefore)) return { kind: 'unsent', code: 'ECONNREFUSED' };
    if (account.paused) return { kind: 'paused', code: 'SendingPausedException' };
    if (chance.happens(mood.throttle)) return { kind: 'rate', code: 'TooManyRequestsException' };
    if (chance.happens(mood.error)) {
      if (chance.happens(0.5)) this.take(account, arrival);
      return { kind: 'in-doubt', code: 'InternalFailure' };
    }
    if (chance.happens(mood.hang)) {
      if (chance.happens(0.5)) this.take(account, arrival);
      return { kind: 'silence' };
    }
    const now = this.time.nowMs;
    const excess = account.day.sum(now) + arrival.recipients - account.quota;
    if (excess > 0 && this.allowed(account).quota > account.quota) {
      // The quota was cut a moment ago: SES says so, and nobody has done wrong.
      return { kind: 'daily-quota', code: 'LimitExceededException' };
    }
    const sesMessageId = this.take(account, arrival);
    if (chance.happens(mood.acceptThenReset)) return { kind: 'in-doubt', code: 'ECONNRESET' };
    return { kind: 'sent', sesMessageId };
  }

  private take(account: Account, arrival: Arrival): string {
    const now = this.time.nowMs;
    account.day.add(now, arrival.recipients);
    const excess = account.day.sum(now) - this.allowed(account).quota;
    const sesMessageId = `ses-${String((this.count += 1))}`;
    this.events.taken(arrival, Math.max(0, excess));
    return sesMessageId;
  }

  private allowed(account: Account): { quota: number; rate: number } {
    const { fromMs, untilMs } = this.unwatched;
    const blind = this.time.nowMs < untilMs + OBSERVED_AFTER_MS;
    const since = (blind ? Math.min(fromMs, this.time.nowMs) : this.time.nowMs) - OBSERVED_AFTER_MS;
    while (account.limits.length > 1 && (account.limits[1]?.sinceMs ?? 0) <= since) account.limits.shift();
    return {
      quota: Math.max(...account.limits.map((limit) => limit.quota)),
      rate: Math.max(...account.limits.map((limit) => limit.rate)),
    };
  }

  private account(id: SendingAccountId): Account {
    const account = this.accounts.get(id);
    if (!account) throw new Error('no such account at the provider');
    return account;
  }
}
