import { closePeriod, countUsageDay, handOverInvoiceEvent } from '@libs/billing';
import { processEvents } from '@libs/deliverability';
import { confirmSubscription, verifyAwsAccount } from '@libs/fleet';
import { moveTenant, placementChanged, provisionTenant } from '@libs/placement';
import type { JobDefinition } from '@libs/queueing';
import { dispatchBulk, dispatchTransactional } from '@libs/sending';

/** Every job of every lib. The worker does not boot unless each has exactly one processor. */
export const ALL_JOBS = [
  verifyAwsAccount,
  confirmSubscription,
  provisionTenant,
  moveTenant,
  placementChanged,
  processEvents,
  dispatchTransactional,
  dispatchBulk,
  handOverInvoiceEvent,
  closePeriod,
  countUsageDay,
] as unknown as readonly JobDefinition<never>[];
