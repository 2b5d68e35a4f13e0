import { randomUUID } from 'node:crypto';
import { chance } from '../chance/seeded-chance.policy';
import type { SimulatedClock } from '../clock/simulated.clock';
import type { ConfigurationSetState, DomainBehaviour, SuppressionReason } from '../state/simulator.state';
import type { StateStore } from '../state/state.store';
import type { OutboundMail } from './outbound-mail.policy';
import { plannedEvents, recipientOutcome, type Outcome } from './recipient-outcome.policy';
import { outcomeEvent, rejectEvent, renderingFailureEvent, sendEvent, type SentMail } from './ses-event.policy';
import type { SesCall } from './ses.call';
import { testOutcome } from './test-address.policy';

/** One event for one topic, with the configuration set that publishes it. */
export interface SesNotification {
  readonly topicArn: string;
  readonly sourceArn: string;
  readonly accountId: string;
  readonly message: string;
}

export interface EventSink {
  /** The same `messageId` twice is a redelivery, as SNS may do at any time. */
  publishFromSes(notification: SesNotification, messageId: string): void;
}

/** Faults of the event path, set by the admin API. Rates are fractions of events. */
export interface EventFaults {
  hold: boolean;
  dropRate: number;
  duplicateRate: number;
  /** Events are delayed by up to this many real milliseconds more, each on its own, so that they overtake each other. */
  reorderMs: number;
}

const NO_EVENT_FAULTS: EventFaults = { hold: false, dropRate: 0, duplicateRate: 0, reorderMs: 0 };

interface Suppressing {
  readonly accountId: string;
  readonly region: string;
  readonly address: string;
  readonly reason: SuppressionReason;
}

/** What is still to come, kept over a clean restart. `dueAt` is simulated time. */
export type PendingItem =
  | { readonly dueAt: number; readonly event: SesNotification }
  | { readonly dueAt: number; readonly suppress: Suppressing };

export interface AcceptedMail {
  readonly messageId: string;
  readonly at: number;
  readonly operation: string;
  readonly identity: string;
  readonly set: ConfigurationSetState | undefined;
  readonly pool: string | undefined;
  readonly missingVariable: string | undefined;
}

interface Destination {
  readonly topicArn: string;
  readonly types: readonly string[];
}

const TYPE_NAMES = {
  Send: 'SEND',
  Reject: 'REJECT',
  Delivery: 'DELIVERY',
  Bounce: 'BOUNCE',
  Complaint: 'COMPLAINT',
  DeliveryDelay: 'DELIVERY_DELAY',
  RenderingFailure: 'RENDERING_FAILURE',
} as const;

/** Decides what becomes of accepted mail and publishes SES's events about it. */
export class EventsService {
  faults: EventFaults = { ...NO_EVENT_FAULTS };
  published: Record<string, number> = {};
  private readonly pending = new Map<number, PendingItem>();
  private readonly timers = new Map<number, NodeJS.Timeout>();
  /** Ids of those that a reorder fault keeps back, by real time. */
  private readonly overtaking = new Set<number>();
  private held: SesNotification[] = [];
  private counter = 0;

  constructor(
    private readonly store: StateStore,
    private readonly clock: SimulatedClock,
    private readonly sink: EventSink,
    private readonly seed: number,
    private readonly defaults: DomainBehaviour,
  ) {}

  mailAccepted(call: SesCall, mail: OutboundMail, accepted: AcceptedMail): void {
    const destinations = destinationsOf(accepted.set);
    const { set } = accepted;
    const sent: SentMail = {
      mail,
      messageId: accepted.messageId,
      at: accepted.at,
      accountId: call.accountId,
      region: call.region,
      identity: accepted.identity,
      configurationSet: set?.name ?? '',
      callerIdentity: call.caller.identityName,
      sourceIp: call.request.remoteAddress,
      operation: accepted.operation,
      outgoingIp: outgoingIp(call, accepted, this.seed),
    };
    const emit = (type: keyof typeof TYPE_NAMES, afterMs: number, build: () => string): void => {
      for (const one of destinations) {
        if (!one.types.includes(TYPE_NAMES[type])) continue;
        const sourceArn = `arn:aws:ses:${call.region}:${call.accountId}:configuration-set/${sent.configurationSet}`;
        const event = { topicArn: one.topicArn, sourceArn, accountId: call.accountId, message: build() };
        this.published[type] = (this.published[type] ?? 0) + 1;
        if (afterMs <= 0) this.publish(event);
        else this.schedule({ dueAt: accepted.at + afterMs, event });
      }
    };
    if (accepted.missingVariable !== undefined) {
      const missing = accepted.missingVariable;
      emit('RenderingFailure', 0, () => renderingFailureEvent(sent, mail.template?.TemplateName ?? 'inline', missing));
      return;
    }
    emit('Send', 0, () => sendEvent(sent));
    const behaviour = this.behaviourOf(mail.recipients[0]?.domain ?? '');
    if (chance(this.seed, `reject|${keyOf(mail, '')}`) < behaviour.rejectRate) {
      emit('Reject', behaviour.delayMs / 2, () => rejectEvent(sent));
      return;
    }
    this.announceOutcomes(call, mail, accepted, sent, emit);
  }

  /** Stops all timers and hands over what had not been published yet. */
  drain(): PendingItem[] {
    for (const timer of this.timers.values()) clearTimeout(timer);
    const now = this.clock.nowMs();
    const items = [...this.pending.values(), ...this.held.map((event) => ({ dueAt: now, event }))];
    this.timers.clear();
    this.pending.clear();
    this.overtaking.clear();
    this.held = [];
    return items;
  }

  reset(): void {
    this.drain();
    this.faults = { ...NO_EVENT_FAULTS };
    this.published = {};
  }

  restore(items: readonly PendingItem[]): void {
    for (const item of items) this.schedule(item);
  }

  /** Call after the simulated clock was driven: what is due by it now happens now. */
  clockMoved(): void {
    for (const [id, item] of this.pending) if (!this.overtaking.has(id)) this.arm(id, item);
  }

  setFaults(faults: Partial<EventFaults>): EventFaults {
    this.faults = { ...this.faults, ...faults };
    if (!this.faults.hold) for (const event of this.held.splice(0)) this.publish(event);
    return this.faults;
  }

  get waiting(): number {
    return this.pending.size + this.held.length;
  }

  get heldCount(): number {
    return this.held.length;
  }

  behaviourOf(domain: string): DomainBehaviour {
    return this.store.state.domains.get(domain) ?? this.defaults;
  }

  private announceOutcomes(
    call: SesCall,
    mail: OutboundMail,
    accepted: AcceptedMail,
    sent: SentMail,
    emit: (type: keyof typeof TYPE_NAMES, afterMs: number, build: () => string) => void,
  ): void {
    const reasons = accepted.set?.suppressedReasons ?? call.state.suppressedReasons;
    const groups = new Map<string, { outcome: Outcome; domain: string; recipients: string[] }>();
    for (const { address, domain } of mail.recipients) {
      const entry = call.state.suppressed.get(address.toLowerCase());
      const suppressed = entry !== undefined && reasons.includes(entry.reason);
      const outcome = recipientOutcome(address, suppressed, this.behaviourOf(domain), this.seed, keyOf(mail, address));
      const group = groups.get(`${outcome}|${domain}`) ?? { outcome, domain, recipients: [] };
      group.recipients.push(address);
      groups.set(`${outcome}|${domain}`, group);
    }
    for (const { outcome, domain, recipients } of groups.values()) {
      const spread = 0.5 + chance(this.seed, `delay|${keyOf(mail, recipients[0] ?? '')}`);
      for (const event of plannedEvents(outcome, recipients, this.behaviourOf(domain).delayMs * spread)) {
        const at = Math.ceil(accepted.at + event.afterMs);
        emit(event.type, event.afterMs, () =>
          outcomeEvent(sent, event, at, `${accepted.messageId.slice(0, 16)}-${randomUUID()}-000000`),
        );
        const reason = event.type === 'Complaint' ? 'COMPLAINT' : outcome === 'HARD_BOUNCE' ? 'BOUNCE' : undefined;
        if (reason === undefined || !reasons.includes(reason)) continue;
        for (const address of recipients.filter((one) => testOutcome(one) === undefined)) {
          this.schedule({ dueAt: at, suppress: { accountId: call.accountId, region: call.region, address, reason } });
        }
      }
    }
  }

  private schedule(item: PendingItem): void {
    this.counter += 1;
    const id = this.counter;
    this.pending.set(id, item);
    this.arm(id, item);
  }

  private arm(id: number, item: PendingItem): void {
    const wait = Math.max(0, this.clock.realSpan(item.dueAt - this.clock.nowMs()));
    clearTimeout(this.timers.get(id));
    this.timers.set(
      id,
      setTimeout(() => {
        this.timers.delete(id);
        this.pending.delete(id);
        if ('event' in item) this.publish(item.event);
        else this.suppress(item.suppress);
      }, wait),
    );
  }

  /** SES puts addresses that bounce or complain on the account's list by itself (aws-facts 1.7). */
  private suppress({ accountId, region, address, reason }: Suppressing): void {
    if (!this.store.state.accounts.has(accountId)) return;
    const key = address.toLowerCase();
    this.store.region(accountId, region).suppressed.set(key, { address: key, reason, at: this.clock.nowMs() });
    this.store.touch();
  }

  private publish(event: SesNotification): void {
    if (this.faults.hold) {
      this.held.push(event);
      return;
    }
    this.counter += 1;
    const { dropRate, duplicateRate, reorderMs } = this.faults;
    if (dropRate > 0 && chance(this.seed, `drop|${String(this.counter)}`) < dropRate) {
      this.published['dropped'] = (this.published['dropped'] ?? 0) + 1;
      return;
    }
    const copies = duplicateRate > 0 && chance(this.seed, `copy|${String(this.counter)}`) < duplicateRate ? 2 : 1;
    const messageId = randomUUID();
    for (let copy = 0; copy < copies; copy += 1) {
      if (reorderMs <= 0) this.sink.publishFromSes(event, messageId);
      else this.later(event, messageId, chance(this.seed, `late|${String(this.counter)}|${String(copy)}`) * reorderMs);
    }
  }

  private later(event: SesNotification, messageId: string, realMs: number): void {
    this.counter += 1;
    const id = this.counter;
    this.pending.set(id, { dueAt: this.clock.nowMs(), event });
    this.overtaking.add(id);
    this.timers.set(
      id,
      setTimeout(() => {
        this.timers.delete(id);
        this.pending.delete(id);
        this.overtaking.delete(id);
        this.sink.publishFromSes(event, messageId);
      }, realMs),
    );
  }
}

/** The same mail to the same recipient has the same fate in every run with the same seed. */
function keyOf(mail: OutboundMail, recipient: string): string {
  return `${mail.from.address}|${mail.subject}|${recipient.toLowerCase()}|${mail.template?.TemplateName ?? ''}`;
}

function destinationsOf(set: ConfigurationSetState | undefined): Destination[] {
  return [...(set?.destinations.values() ?? [])].flatMap((one) =>
    one.enabled && one.topicArn !== undefined ? [{ topicArn: one.topicArn, types: one.types }] : [],
  );
}

/** An IP of the pool the mail went through; a shared address when it has none of its own. */
function outgoingIp(call: SesCall, accepted: AcceptedMail, seed: number): string {
  const ips = [...call.state.ips.values()].filter((ip) => ip.pool === accepted.pool);
  const draw = chance(seed, `ip|${accepted.messageId}`);
  return (
    ips[Math.floor(draw * ips.length)]?.ip ??
    `54.240.${String(Math.floor(draw * 32))}.${String(Math.floor(draw * 8191) % 255)}`
  );
}
