import type { TenantId, TenantMoveId } from '@libs/kernel';
import { defineJob } from '@libs/queueing';
import { z } from 'zod';

const id = <Id extends string>() => z.uuid() as unknown as z.ZodType<Id>;

// No derived ids: Bull drops a job whose id still runs, and a change made during that run would wait for ever.

/** Makes a tenant's configuration sets and identities on AWS as its placements ask. Re-runnable. */
export const provisionTenant = defineJob({
  name: 'placement.provision-tenant',
  queue: 'control',
  payload: z.object({ tenantId: id<TenantId>() }),
  attempts: 5,
  backoffMs: 2_000,
});

/** Takes a decided move as far as it goes: the new route, and once that is verified the switch. Re-runnable. */
export const moveTenant = defineJob({
  name: 'placement.move-tenant',
  queue: 'control',
  payload: z.object({ tenantId: id<TenantId>(), moveId: id<TenantMoveId>() }),
  attempts: 5,
  backoffMs: 2_000,
});

/** A tenant's current placements are others now: what waits must go along. Consumed by sending. */
export const placementChanged = defineJob({
  name: 'placement.changed',
  queue: 'control',
  payload: z.object({ tenantId: id<TenantId>() }),
  attempts: 10,
  backoffMs: 1_000,
});
