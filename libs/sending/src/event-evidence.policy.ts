import { isNotSpam, maySuppress, type SesEvent, type SesEventKind, type SuppressionReason } from '@libs/deliverability';
import type { AttemptId, MessageId, Mode, SendingAccountId, TenantId } from '@libs/kernel';
import { providerKey, type EventType } from './event-type.policy';
import type { EngineState } from './engine-state';
import { afterEvidence, type MessageState } from './recipient-state.policy';

/** The attempt an event names, as our own rows know it. The tenant comes from here, never from the event. */
export interface NamedAttempt {
  readonly id: AttemptId;
  readonly tenantId: TenantId;
  readonly messageId: MessageId;
  readonly attemptNo: number;
  readonly sendingAccountId: SendingAccountId;
  readonly mode: Mode;
  readonly state: 'INTENT' | 'SENT' | 'REJECTED' | 'NOT_SENT' | 'IN_DOUBT';
  readonly sesMessageId: string | null;
  /** Its Send event has come. */
  readonly confirmed: boolean;
  readonly messageState: EngineState;
  readonly lastAttemptNo: number;
}

/** Who delivered the event. */
export interface EventSource {
  readonly sendingAccountId: SendingAccountId;
  /** The 12 digits of the AWS account whose topic it came through. */
  readonly accountId: string;
}

/** Why an event is set aside, or undefined when it may be believed (SECURITY.md 52). */
export function disbelief(event: SesEvent, source: EventSource, attempt: NamedAttempt | undefined): string | undefined {
  const { tenant, message, attempt: tag } = event.tags;
  if (tenant === undefined || message === undefined || tag === undefined) {
    return 'the event carries no tenant, message and attempt tags';
  }
  if (!attempt) return 'the attempt it names does not exist';
  if (attempt.sendingAccountId !== source.sendingAccountId) {
    return 'the attempt it names was sent by another sending account than the one whose topic delivered it';
  }
  if (event.accountId !== undefined && event.accountId !== source.accountId) {
    return `SES says account ${event.accountId} sent it; the topic is account ${source.accountId}'s`;
  }
  return undefined;
}

const TYPES: Record<SesEventKind, EventType> = {
  Send: 'message.sent',
  Delivery: 'message.delivered',
  Bounce: 'message.bounced',
  Complaint: 'message.complained',
  Reject: 'message.rejected',
  Open: 'message.opened',
  Click: 'message.clicked',
  'Rendering Failure': 'message.rejected',
  DeliveryDelay: 'message.delayed',
  Subscription: 'message.other',
  Other: 'message.other',
};

/** What each event proves of the recipients it is about; nothing for the others. */
const PROVES: Partial<Record<SesEventKind, MessageState>> = {
  Send: 'SENT',
  Delivery: 'DELIVERED',
  Bounce: 'BOUNCED',
  Complaint: 'COMPLAINED',
  Reject: 'REJECTED',
  'Rendering Failure': 'REJECTED',
};

/** A line of a message's timeline, before it has an id. */
export interface TimelineEntry {
  readonly type: EventType;
  readonly at: Date;
  readonly recipient: string | null;
  readonly dedupeKey: string;
  readonly summary: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Finding {
  readonly entry: TimelineEntry;
  /** The recipient this entry stops, when it does. */
  readonly suppress: { readonly address: string; readonly reason: SuppressionReason } | undefined;
}

const MAX_DATA = 16_000;

/**
 * The timeline entries of a believed event, with whom each suppresses. A Send event has none of its own: it confirms what
 * the attempt's row says.
 */
export function findings(event: SesEvent, attempt: NamedAttempt, receivedAt: Date): Finding[] {
  if (event.kind === 'Send') return [];
  const praised = isNotSpam(event);
  const type = praised ? 'message.other' : TYPES[event.kind];
  const at = event.atMs === undefined ? receivedAt : new Date(event.atMs);
  const data = JSON.stringify(event.data).length > MAX_DATA ? {} : event.data;
  if (!event.perRecipient || event.recipients.length === 0) {
    const dedupeKey = providerKey(type, '', `${event.sesMessageId}|${event.mark}`);
    return [{ entry: { type, at, recipient: null, dedupeKey, summary: event.summary, data }, suppress: undefined }];
  }
  return event.recipients.map(({ address, detail }) => {
    const reason = maySuppress(attempt.mode, address.toLowerCase()) ? event.suppresses : undefined;
    return {
      entry: {
        type,
        at,
        recipient: address,
        dedupeKey: providerKey(type, address.toLowerCase(), event.mark),
        summary: detail === undefined ? event.summary : `${event.summary} ${detail}`.slice(0, 500),
        data,
      },
      suppress: reason === undefined ? undefined : { address, reason },
    };
  });
}

/** What is proven of one recipient (address in lower case), or of everybody a message was sent to (no address). */
export interface Evidence {
  readonly tenantId: TenantId;
  readonly messageId: MessageId;
  readonly address: string | undefined;
  readonly state: MessageState;
  readonly at: Date;
  readonly detail: string | undefined;
}

/** What a believed event proves. Any event of a mail, whatever its kind, proves that SES took the mail. */
export function evidenceOf(event: SesEvent, attempt: NamedAttempt, receivedAt: Date): Evidence[] {
  const at = event.atMs === undefined ? receivedAt : new Date(event.atMs);
  const about = { tenantId: attempt.tenantId, messageId: attempt.messageId };
  const proven = isNotSpam(event) ? undefined : PROVES[event.kind];
  const taken: Evidence = {
    ...about,
    address: undefined,
    state: proven !== undefined && !event.perRecipient ? proven : 'SENT',
    at: proven !== undefined && !event.perRecipient ? at : new Date(event.acceptedMs ?? at.getTime()),
    detail: undefined,
  };
  if (proven === undefined || !event.perRecipient) return [taken];
  const own = event.recipients.map(({ address, detail }): Evidence => ({
    ...about,
    address: address.toLowerCase(),
    state: proven,
    at,
    detail: detail ?? event.summary,
  }));
  return [taken, ...own];
}

/** One piece of evidence per recipient: the strongest, and of equals the earliest. */
export function strongest(evidence: readonly Evidence[]): Evidence[] {
  const best = new Map<string, Evidence>();
  for (const item of evidence) {
    const name = `${item.messageId} ${item.address ?? ''}`;
    const known = best.get(name);
    const wins =
      !known ||
      (known.state === item.state ? item.at < known.at : afterEvidence(known.state, item.state) === item.state);
    if (wins) best.set(name, item);
  }
  return [...best.values()];
}
