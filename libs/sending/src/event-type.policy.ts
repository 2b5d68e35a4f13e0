import type { AttemptId } from '@libs/kernel';

/** Types of timeline entries (API.md, section 4). `message.duplicate` and `message.other` are ours. */
export const EVENT_TYPES = [
  'message.queued',
  'message.sent',
  'message.delivered',
  'message.delayed',
  'message.bounced',
  'message.complained',
  'message.opened',
  'message.clicked',
  'message.rejected',
  'message.expired',
  'message.canceled',
  'message.suppressed',
  'message.in_doubt',
  'message.rerouted',
  'message.duplicate',
  'message.other',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** The dedupe key of something that happens to a message once in its life (expired, canceled). */
export const onceKey = (type: EventType): string => type;

/** The dedupe key of something that happens once per attempt (rejected, in doubt). */
export const attemptKey = (type: EventType, attempt: AttemptId): string => `${type}|${attempt}`;

/** The dedupe key of an event of SES: type, recipient and the event's own time or feedback id (aws-facts 7.3). */
export const providerKey = (type: EventType, recipient: string, mark: string): string => `${type}|${recipient}|${mark}`;
