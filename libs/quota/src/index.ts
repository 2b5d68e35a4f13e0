export type {
  Grant,
  LaneCaps,
  LedgerStats,
  QueuedMessage,
  Refund,
  Refusal,
  ServedTenant,
  SlotOffer,
  TenantLimits,
} from './grant';
export type { OverdueGrant } from './ledger-reply.policy';
export { Ledger, READY_WINDOW } from './ledger.service';
export type { ObservedLimits, UsedMinute } from './ledger.service';
export { parseRate, sliceMs, slotSlackMs } from './pacing.policy';
export type { Fraction } from './pacing.policy';
export { LedgerClockWrong, LedgerUnavailable } from './quota.errors';
export { QuotaModule } from './quota.module';
export { TenantLeases } from './tenant-leases.service';
export type { LeasedAccount } from './tenant-leases.service';
export { warmUpCaps } from './warm-up.policy';
