import { UnitOfWork } from '@libs/database';
import { EngineClock, isFresh, type TenantId } from '@libs/kernel';
import type { TenantLimits } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { smallerCap } from './day-cap.policy';
import { RampService } from './upkeep/ramp.service';

const FRESH_MS = 10_000;
const MAX_TENANTS = 50_000;

/** The limits that the ledger is told: those of the plan, and what the ramp allows today. */
@Injectable()
export class OfferLimits {
  private readonly known = new Map<TenantId, { readonly dayCap: bigint | null; readonly readAtMs: number }>();

  constructor(
    private readonly uow: UnitOfWork,
    private readonly ramp: RampService,
    private readonly clock: EngineClock,
  ) {}

  /** For LIVE mail of one tenant, between two units of work; asks at most once in ten seconds. */
  async of(tenant: TenantId, limits: TenantLimits): Promise<TenantLimits> {
    const now = this.clock.nowMs();
    let known = this.known.get(tenant);
    if (known === undefined || !isFresh(known.readAtMs, now, FRESH_MS * this.clock.scale.speed)) {
      const allowed = await this.uow.forTenant(tenant, () => this.ramp.allowance([tenant]));
      known = { dayCap: allowed.get(tenant)?.recipients ?? null, readAtMs: now };
      if (this.known.size >= MAX_TENANTS) this.known.clear();
      this.known.set(tenant, known);
    }
    return { ...limits, dayCap: smallerCap(limits.dayCap, known.dayCap) };
  }

  /** For many at once, for the engine: what each may send in a day. */
  async dayCaps(tenants: readonly TenantId[]): Promise<Map<TenantId, bigint>> {
    const allowed = await this.ramp.allowance(tenants);
    return new Map([...allowed].map(([tenant, { recipients }]) => [tenant, recipients]));
  }
}
