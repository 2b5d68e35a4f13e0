export type { Grant, LedgerStats, QueuedMessage, Refund, Refusal, TenantLimits } from './grant';
export type { OverdueGrant } from './ledger-reply.policy';
export { Ledger, READY_WINDOW } from './ledger.service';
export type { ObservedLimits, UsedMinute } from './ledger.service';
export { parseRate, sliceMs, slotSlackMs } from './pacing.policy';
export type { Fraction } from './pacing.policy';
export { QuotaModule } from './quota.module';
