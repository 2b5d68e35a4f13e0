import { UnitOfWork } from '@libs/database';
import type { TenantId } from '@libs/kernel';
import type { TenantLimits } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { smallerCap } from './day-cap.policy';
import type { DayAllowance } from './upkeep/ramp.policy';
import { RampService } from './upkeep/ramp.service';

/** The limits that the ledger is told: those of the plan, and what the ramp allows today. */
@Injectable()
export class OfferLimits {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly ramp: RampService,
  ) {}

  /** For LIVE mail of one tenant, between two units of work, which it opens once in a few seconds. */
  async of(tenant: TenantId, limits: TenantLimits): Promise<TenantLimits> {
    const allowed = this.ramp.current(tenant) ?? (await this.ask(tenant));
    return { ...limits, dayCap: smallerCap(limits.dayCap, allowed?.recipients ?? null) };
  }

  private async ask(tenant: TenantId): Promise<DayAllowance | undefined> {
    return (await this.uow.forTenant(tenant, () => this.ramp.allowance([tenant]))).get(tenant);
  }

  /** For many at once, for the engine: what each may send in a day. */
  async dayCaps(tenants: readonly TenantId[]): Promise<Map<TenantId, bigint>> {
    const allowed = await this.ramp.allowance(tenants);
    return new Map([...allowed].map(([tenant, { recipients }]) => [tenant, recipients]));
  }
}
