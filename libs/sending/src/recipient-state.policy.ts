import type { EngineState } from './engine-state';

/** What a customer sees of a message or recipient (API.md, MessageState). */
export const MESSAGE_STATES = [
  'SCHEDULED',
  'QUEUED',
  'SENDING',
  'SENT',
  'DELIVERED',
  'BOUNCED',
  'COMPLAINED',
  'REJECTED',
  'SUPPRESSED',
  'EXPIRED',
  'CANCELED',
  'IN_DOUBT',
] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

/** How a message that is in this state inside the engine reads to its customer. */
export function shownState(state: EngineState): MessageState {
  return state === 'READY' ? 'QUEUED' : state === 'INTENT' ? 'SENDING' : state;
}

/**
 * How much is proven, from least to most. An event of SES is evidence, and evidence only ever raises a recipient in this
 * order: late, repeated or reordered events change nothing (P13). A bounce may follow a delivery (asynchronous bounces
 * are real), never the other way round. "Not sent" verdicts of ours (expired, canceled, suppressed) stand below SENT:
 * if SES nevertheless reports the mail, what SES reports is true.
 */
export const EVIDENCE_ORDER = [
  'SCHEDULED',
  'QUEUED',
  'SENDING',
  'IN_DOUBT',
  'EXPIRED',
  'CANCELED',
  'SUPPRESSED',
  'SENT',
  'REJECTED',
  'DELIVERED',
  'BOUNCED',
  'COMPLAINED',
] as const satisfies readonly MessageState[];

/** The state after evidence: the higher of the two. Commutative, associative and idempotent. */
export function afterEvidence(current: MessageState, reported: MessageState): MessageState {
  return EVIDENCE_ORDER.indexOf(reported) > EVIDENCE_ORDER.indexOf(current) ? reported : current;
}

/**
 * From least to most advanced, for the one state of a message with several recipients. Ends without delivery come last,
 * so that a message that reached everybody but a suppressed address reads DELIVERED; each recipient tells its own story.
 */
export const ADVANCE_ORDER = [
  'SCHEDULED',
  'QUEUED',
  'SENDING',
  'IN_DOUBT',
  'SENT',
  'DELIVERED',
  'BOUNCED',
  'COMPLAINED',
  'REJECTED',
  'EXPIRED',
  'CANCELED',
  'SUPPRESSED',
] as const satisfies readonly MessageState[];

/** The least advanced of the recipients' states. */
export function leastAdvanced(states: readonly MessageState[]): MessageState {
  const lowest = Math.min(...states.map((state) => ADVANCE_ORDER.indexOf(state)));
  const state = ADVANCE_ORDER[lowest];
  if (state === undefined) throw new RangeError('a message has at least one recipient');
  return state;
}
