export type { AddressInput, AttachmentInput, ContentInput, EmailInput, NameValueInput } from './accept-input';
export { ACCEPT_LIMITS } from './accept-limits';
export { AcceptService } from './accept.service';
export type { AcceptBatch, Accepted, AcceptedEntry, AcceptSingle, Submitter } from './accept.service';
export { BacklogService } from './backlog.service';
export { EventApplier } from './event-applier.service';
export type { AppliedEvents } from './event-applier.service';
export { EVENT_TYPES } from './event-type.policy';
export type { EventType } from './event-type.policy';
export { IdempotencyService } from './idempotency.service';
export type { Forecast } from './limits-forecast.policy';
export { LimitsService } from './limits.service';
export type { ForecastRequest, SendingLimits } from './limits.service';
export type { Message, Recipient, RecipientKind } from './message';
export type { MessageFilter, MessagePageRequest } from './message-filter.policy';
export type { SentAttempt, TimelineEvent } from './message.repository';
export { MAX_CANCEL, MessageService } from './message.service';
export type { Canceled } from './message.service';
export { MESSAGE_STATES } from './recipient-state.policy';
export type { MessageState } from './recipient-state.policy';
export { SendingModule } from './sending.module';
export { LIMITS } from './wait.policy';
export type { Limit, Wait } from './wait.policy';

// The engine that sends (engine.module.ts) exports below this line.
