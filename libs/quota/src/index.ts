export type {
  AcquireRequest,
  Grant,
  GrantedMessage,
  LedgerStats,
  QueuedMessage,
  Refund,
  Refusal,
  SlotOffer,
  TenantLimits,
} from './grant';
export type { OverdueGrant } from './ledger-reply.policy';
export { Ledger, READY_WINDOW, SLOT_LIFE_MS } from './ledger.service';
export type { ObservedLimits, UsedMinute } from './ledger.service';
export { LEAD_MS, parseRate, sliceMs, slotMs, slotSlackMs } from './pacing.policy';
export type { Fraction } from './pacing.policy';
export { QuotaModule } from './quota.module';
