export { CannotStart, listenProblem, reasonOf } from './cannot-start';
export { EngineClock, isFresh, ManualClock, REAL_TIME, scaleTime, SystemClock } from './clock';
export type { Clock, ClockScale } from './clock';
export { beneath, DomainError, ERROR_CODES, notFound } from './domain-error';
export type { ErrorCode, Issue } from './domain-error';
export { firstIdAt, fromPublicId, isUuid, newId, newIdAt, publicKindOf, timeOfId, toPublicId } from './ids';
export type {
  ApiKeyId,
  AttemptId,
  AwsAccountId,
  BatchId,
  DomainId,
  EventId,
  InvoiceId,
  LaneId,
  MessageId,
  OperatorId,
  PlacementId,
  PlanId,
  PublicKind,
  SendingAccountId,
  SuppressionId,
  TenantId,
  TenantMoveId,
} from './ids';
export { canonicalAddress, canonicalDomain, domainOf, isHeaderSafe, isSameOrBelow } from './mail-address';
export type { MailAddress } from './mail-address';
export { divideHalfEven, formatUsd, parseUsd, priceOf } from './money';
export { checkCursors, isBackwards, toPage } from './page';
export type { Page, PageRequest } from './page';
export { endOnSignal, ProcessEnd } from './process-end';
export { IN_DOUBT_POLICIES, MODES, STREAMS } from './streams';
export type { InDoubtPolicy, Mode, Stream } from './streams';
export { SystemTimers, Timers } from './timers';
