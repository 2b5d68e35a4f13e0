export type { EmailInput } from './accept-input';
export { AcceptService } from './accept.service';
export type { AcceptedEntry, Submitter } from './accepted';
export { BacklogService } from './backlog.service';
export { EventApplier } from './event-applier.service';
export { IdempotencyService } from './idempotency.service';
export { LedgerLook } from './ledger-look.service';
export { LimitsService } from './limits.service';
export type { Message } from './message';
export type { MessageFilter } from './message-filter.policy';
export type { TimelineEvent } from './message.repository';
export { MessageService } from './message.service';
export { SendingModule } from './sending.module';
export { StreamHoldModule } from './stream-hold.module';
export { StreamHolds } from './stream-hold.service';
export { MESSAGE_STATES } from './recipient-state.policy';
export type { MessageState } from './recipient-state.policy';
export { LIMITS } from './wait.policy';
export type { Limit, Wait } from './wait.policy';

// The engine that sends (engine.module.ts) exports below this line.
export { ClockWatch } from './engine/clock-watch.service';
export { NewerVersion } from './engine/newer-version.service';
export { dispatchBulk, dispatchTransactional } from './engine/dispatch.jobs';
export type { Ticket } from './engine/dispatch.jobs';
export { EngineModule } from './engine/engine.module';
export { FAILPOINTS, Failpoints } from './engine/failpoints';
export type { Failpoint } from './engine/failpoints';
export { SendEngine } from './engine/send-engine.service';

// Care of the tables (upkeep/upkeep.module.ts).
export { HeldSnapshotWatch } from './upkeep/held-snapshot.service';
export { PartitionService } from './upkeep/partition.service';
export { RetentionService } from './upkeep/retention.service';
export { UpkeepModule } from './upkeep/upkeep.module';
