import { canonicalAddress } from '@libs/kernel';
import { z } from 'zod';

/** Event types of SES (aws-facts 7.3); anything newer is `Other` and kept as it came. */
export const SES_EVENT_KINDS = [
  'Send',
  'Delivery',
  'Bounce',
  'Complaint',
  'Reject',
  'Open',
  'Click',
  'Rendering Failure',
  'DeliveryDelay',
  'Subscription',
  'Other',
] as const;
export type SesEventKind = (typeof SES_EVENT_KINDS)[number];

export interface SesEventRecipient {
  /** Canonical where it can be, else as SES wrote it. */
  readonly address: string;
  /** The other side's words about this recipient, when there are any. */
  readonly detail?: string;
}

/** One event of SES, reduced to what decisions need. Everything SES said stays in the stored notification. */
export interface SesEvent {
  readonly kind: SesEventKind;
  readonly sesMessageId: string;
  /** The event's own time in milliseconds; undefined when SES gave none that can be read. */
  readonly atMs: number | undefined;
  /** When SES accepted the mail, in milliseconds. */
  readonly acceptedMs: number | undefined;
  /** Feedback id or time: with type and recipient, what makes two deliveries of one event equal. */
  readonly mark: string;
  /** The 12 digits of the account that sent, where SES says so. */
  readonly accountId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** To whom this happened; for Send, Reject and Rendering Failure everybody the mail was for. */
  readonly recipients: readonly SesEventRecipient[];
  /** True when the event is about each recipient alone, false when it is about the mail. */
  readonly perRecipient: boolean;
  /** Why these recipients must not be written to again. */
  readonly suppresses: 'bounce' | 'complaint' | undefined;
  readonly summary: string;
  /** The part of the event that is its own (`bounce`, `delivery`, ...), for the timeline. */
  readonly data: Readonly<Record<string, unknown>>;
}

const optionalText = z.string().nullish();
const failed = z.looseObject({ emailAddress: z.string(), diagnosticCode: optionalText, status: optionalText });
const sesEvent = z.looseObject({
  eventType: optionalText,
  notificationType: optionalText,
  mail: z.looseObject({
    messageId: z.string().min(1).max(200),
    timestamp: optionalText,
    sendingAccountId: optionalText,
    destination: z.array(z.string()).nullish(),
    tags: z.record(z.string(), z.array(z.string())).nullish(),
  }),
  delivery: z
    .looseObject({ timestamp: optionalText, recipients: z.array(z.string()).nullish(), smtpResponse: optionalText })
    .nullish(),
  bounce: z
    .looseObject({
      bounceType: optionalText,
      bounceSubType: optionalText,
      bouncedRecipients: z.array(failed).nullish(),
      timestamp: optionalText,
      feedbackId: optionalText,
    })
    .nullish(),
  complaint: z
    .looseObject({
      complainedRecipients: z.array(failed).nullish(),
      timestamp: optionalText,
      feedbackId: optionalText,
      complaintSubType: optionalText,
      complaintFeedbackType: optionalText,
    })
    .nullish(),
  reject: z.looseObject({ reason: optionalText }).nullish(),
  open: z.looseObject({ timestamp: optionalText }).nullish(),
  click: z.looseObject({ timestamp: optionalText, link: optionalText }).nullish(),
  failure: z.looseObject({ errorMessage: optionalText }).nullish(),
  deliveryDelay: z
    .looseObject({ delayType: optionalText, delayedRecipients: z.array(failed).nullish(), timestamp: optionalText })
    .nullish(),
  subscription: z.looseObject({ timestamp: optionalText }).nullish(),
});
type Body = z.output<typeof sesEvent>;

/** SES did not try: the address stood on a list. That says nothing new about the mailbox (aws-facts 7.3). */
function isListed(subType: string | null | undefined): boolean {
  return (
    /SuppressionList$/.test(subType ?? '') ||
    subType === 'EmailValidationSuppressed' ||
    subType === 'UnsubscribedRecipient'
  );
}

/** The event's own part: what it is about, and how it reads. */
interface Part {
  readonly key: string;
  readonly time?: string | null | undefined;
  readonly feedbackId?: string | null | undefined;
  readonly to: readonly SesEventRecipient[];
  readonly perRecipient: boolean;
  readonly suppresses?: 'bounce' | 'complaint' | undefined;
  readonly summary: string;
}

const EARLIEST_MS = Date.UTC(2000);
const LATEST_MS = Date.UTC(2100);

const NOT_STORABLE = /\0|\p{Surrogate}/gu;
/** What such text is written with in JSON. Rare: looking at every value of every event would be dear. */
const MAYBE_NOT_STORABLE = /\\u0000|\\u[dD][89a-fA-F]|[\0\ud800-\udfff]/;

/**
 * Other people's mail servers write parts of an event. PostgreSQL takes neither NUL nor half a surrogate pair, and one such
 * event would hold up all that are applied with it.
 */
function storable(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.replace(NOT_STORABLE, '\uFFFD');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (entries.every(([key]) => key.search(NOT_STORABLE) < 0)) return value;
  return Object.fromEntries(entries.map(([key, own]) => [key.replace(NOT_STORABLE, '\uFFFD'), own]));
}

// Dedupe keys are indexed, and an index entry has a limit of its own; AWS's ids and times are far shorter.
const MAX_MARK = 200;

/**
 * The event in a notification's `Message`, or undefined when it is none. Lenient: unknown keys are kept, unknown types
 * are `Other`, a missing part is read as empty; SES adds fields without notice.
 */
export function parseSesEvent(message: string): SesEvent | undefined {
  let json: unknown;
  try {
    json = MAYBE_NOT_STORABLE.test(message) ? JSON.parse(message, storable) : JSON.parse(message);
  } catch {
    return undefined;
  }
  const parsed = sesEvent.safeParse(json);
  if (!parsed.success) return undefined;
  const body = parsed.data;
  const kind = kindOf(body.eventType ?? body.notificationType);
  const part = partOf(kind, body);
  const atMs = timeOf(part.time) ?? timeOf(body.mail.timestamp);
  const own = body[part.key];
  return {
    kind,
    sesMessageId: body.mail.messageId,
    atMs,
    acceptedMs: timeOf(body.mail.timestamp),
    mark: (part.feedbackId ?? part.time ?? body.mail.timestamp ?? '').slice(0, MAX_MARK),
    accountId: body.mail.sendingAccountId ?? undefined,
    tags: Object.fromEntries(Object.entries(body.mail.tags ?? {}).map(([name, values]) => [name, values[0] ?? ''])),
    recipients: part.to,
    perRecipient: part.perRecipient,
    suppresses: part.suppresses,
    summary: wholeCharacters(part.summary, 500),
    data: typeof own === 'object' && own !== null ? { [part.key]: own } : {},
  };
}

function kindOf(name: string | null | undefined): SesEventKind {
  return SES_EVENT_KINDS.find((kind) => kind === name) ?? 'Other';
}

/** Milliseconds, or undefined for what is no time between 2000 and 2100: nothing outside happened to a mail of ours. */
function timeOf(text: string | null | undefined): number | undefined {
  const ms = text ? Date.parse(text) : Number.NaN;
  return ms >= EARLIEST_MS && ms < LATEST_MS ? ms : undefined;
}

/** At most `length` units, without half a character at the cut. */
function wholeCharacters(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, '');
}

function recipient(address: string, detail?: string | null): SesEventRecipient {
  const canonical = canonicalAddress(address) ?? wholeCharacters(address, 320);
  return detail ? { address: canonical, detail: wholeCharacters(detail, 300) } : { address: canonical };
}

function partOf(kind: SesEventKind, body: Body): Part {
  const everybody = (body.mail.destination ?? []).map((address) => recipient(address));
  const failures = (list: readonly z.output<typeof failed>[] | null | undefined) =>
    (list ?? []).map((one) => recipient(one.emailAddress, one.diagnosticCode ?? one.status));
  const whole = { to: everybody, perRecipient: false };
  switch (kind) {
    case 'Send':
      return { key: 'send', ...whole, summary: 'Handed to the mail system.' };
    case 'Delivery': {
      const to = (body.delivery?.recipients ?? []).map((address) => recipient(address, body.delivery?.smtpResponse));
      return { key: 'delivery', time: body.delivery?.timestamp, to, perRecipient: true, summary: 'Delivered.' };
    }
    case 'Bounce':
      return bouncePart(body.bounce, failures(body.bounce?.bouncedRecipients));
    case 'Complaint':
      return complaintPart(body.complaint, failures(body.complaint?.complainedRecipients));
    case 'Reject':
      return { key: 'reject', ...whole, summary: `Rejected: ${body.reject?.reason ?? 'no reason given'}.` };
    case 'Rendering Failure':
      return { key: 'failure', ...whole, summary: `Not rendered: ${body.failure?.errorMessage ?? 'no reason given'}.` };
    case 'Open':
      return { key: 'open', time: body.open?.timestamp, ...single(everybody), summary: 'Opened.' };
    case 'Click':
      return {
        key: 'click',
        time: body.click?.timestamp,
        ...single(everybody),
        summary: `Clicked: ${body.click?.link ?? 'a link'}`,
      };
    case 'DeliveryDelay': {
      const to = failures(body.deliveryDelay?.delayedRecipients);
      const type = body.deliveryDelay?.delayType ?? 'no reason given';
      return {
        key: 'deliveryDelay',
        time: body.deliveryDelay?.timestamp,
        to,
        perRecipient: true,
        summary: `Delayed: ${type}.`,
      };
    }
    case 'Subscription':
      return {
        key: 'subscription',
        time: body.subscription?.timestamp,
        ...single(everybody),
        summary: 'Subscription changed.',
      };
    case 'Other':
      return {
        key: 'other',
        ...whole,
        summary: `${body.eventType ?? body.notificationType ?? 'An event without a type'}.`,
      };
  }
}

/** Opens and clicks do not say whose they are; with one recipient it is theirs. */
function single(everybody: readonly SesEventRecipient[]): Pick<Part, 'to' | 'perRecipient'> {
  return everybody.length === 1 ? { to: everybody, perRecipient: true } : { to: [], perRecipient: false };
}

function bouncePart(bounce: Body['bounce'], to: readonly SesEventRecipient[]): Part {
  const type = bounce?.bounceType ?? 'Undetermined';
  const subType = bounce?.bounceSubType ?? 'Undetermined';
  const hard = type === 'Permanent';
  return {
    key: 'bounce',
    time: bounce?.timestamp,
    feedbackId: bounce?.feedbackId,
    to,
    perRecipient: true,
    suppresses: hard && !isListed(subType) ? 'bounce' : undefined,
    summary: `${hard ? 'Bounced for good' : 'Bounced'}: ${type}/${subType}.`,
  };
}

function complaintPart(complaint: Body['complaint'], to: readonly SesEventRecipient[]): Part {
  const feedback = complaint?.complaintFeedbackType ?? 'no type given';
  const praise = feedback === 'not-spam';
  return {
    key: 'complaint',
    time: complaint?.timestamp,
    feedbackId: complaint?.feedbackId,
    to,
    perRecipient: true,
    suppresses: praise || isListed(complaint?.complaintSubType) ? undefined : 'complaint',
    summary: praise ? 'Marked as not spam.' : `Complained: ${feedback}.`,
  };
}

/** True for the one Complaint event that is none: a reader took the mail out of the spam folder. */
export function isNotSpam(event: SesEvent): boolean {
  const complaint = event.data['complaint'] as { complaintFeedbackType?: unknown } | undefined;
  return event.kind === 'Complaint' && complaint?.complaintFeedbackType === 'not-spam';
}
