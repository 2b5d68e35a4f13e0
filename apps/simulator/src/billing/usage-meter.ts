import type { Arrival } from '../arrivals/arrival.log';
import type { StateStore } from '../state/state.store';
import type { DayOfUse } from './day-of-use';

type Counted = 'recipients' | 'attachmentBytes' | 'publishes' | 'deliveryAttempts';

/**
 * What AWS would charge for, counted where it happens and by nothing that the product knows or computes: the witness that
 * the product's own reckoning is held against. Mail is counted from the arrival log, so that nothing is lost by a crash.
 */
export class UsageMeter {
  private readonly mail = new Map<string, DayOfUse>();

  constructor(private readonly store: StateStore) {}

  /** An accepted request, whatever becomes of its mail: SES charges suppressed and rejected recipients too. */
  sent(arrival: Omit<Arrival, 'seq'>): void {
    if (arrival.verdict !== 'accepted' || arrival.nRecipients === undefined) return;
    const use = dayOf(this.mail, arrival.account, arrival.region, arrival.at);
    use.recipients += arrival.nRecipients;
    use.attachmentBytes += arrival.nRecipients * (arrival.attachmentBytes ?? 0);
  }

  published(account: string, region: string, at: number): void {
    this.notified('publishes', account, region, at);
  }

  /** Every try counts, also one that fails. */
  deliveryTried(account: string, region: string, at: number): void {
    this.notified('deliveryAttempts', account, region, at);
  }

  /** Of one month, in one order. */
  days(month: string): DayOfUse[] {
    const all = new Map<string, DayOfUse>();
    for (const part of [...this.mail.values(), ...this.notifications.values()]) {
      if (!part.day.startsWith(month)) continue;
      const key = keyOf(part);
      const sum = all.get(key) ?? { ...part, recipients: 0, attachmentBytes: 0, publishes: 0, deliveryAttempts: 0 };
      for (const what of COUNTED) sum[what] += part[what];
      all.set(key, sum);
    }
    return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use);
  }

  reset(): void {
    this.mail.clear();
  }

  private notified(what: Counted, account: string, region: string, at: number): void {
    dayOf(this.notifications, account, region, at)[what] += 1;
  }

  /** Kept with the state, whenever that is written: to write it for each event would be most of the work there is. */
  private get notifications(): Map<string, DayOfUse> {
    this.store.state.notifications ??= new Map();
    return this.store.state.notifications;
  }
}

const COUNTED = ['recipients', 'attachmentBytes', 'publishes', 'deliveryAttempts'] as const;

function dayOf(days: Map<string, DayOfUse>, account: string, region: string, at: number): DayOfUse {
  const empty = { recipients: 0, attachmentBytes: 0, publishes: 0, deliveryAttempts: 0 };
  const fresh = { day: new Date(at).toISOString().slice(0, 10), account, region, ...empty };
  const key = keyOf(fresh);
  const known = days.get(key);
  if (known === undefined) days.set(key, fresh);
  return known ?? fresh;
}

function keyOf({ day, account, region }: Pick<DayOfUse, 'day' | 'account' | 'region'>): string {
  return `${day}|${account}|${region}`;
}
