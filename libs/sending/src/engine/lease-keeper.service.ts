import { Timers, type SendingAccountId, type TenantId } from '@libs/kernel';
import { TenantLeases, type TenantLimits } from '@libs/quota';
import { Injectable } from '@nestjs/common';

/** How often a tenant's limits are divided anew, real milliseconds. */
const DIVIDE_MS = 5_000;
const MAX_TENANTS = 10_000;

/** A tenant on several accounts, and what waits on each. */
export interface SpreadTenant {
  readonly tenantId: TenantId;
  readonly limits: TenantLimits;
  readonly accounts: ReadonlyMap<SendingAccountId, number>;
}

/** Divides the limits of tenants that send through several accounts, every few seconds each, and at once when they have changed. */
@Injectable()
export class LeaseKeeper {
  private readonly divided = new Map<TenantId, { readonly limits: string; readonly nextAt: number }>();

  constructor(
    private readonly leases: TenantLeases,
    private readonly timers: Timers,
  ) {}

  async divide({ tenantId, limits, accounts }: SpreadTenant): Promise<void> {
    const now = this.timers.monotonicMs();
    const last = this.divided.get(tenantId);
    const whole = `${String(limits.dayCap)} ${String(limits.rate?.num)} ${String(limits.rate?.den)}`;
    if (last?.limits === whole && now < last.nextAt) return;
    const parts = [...accounts].map(([sendingAccountId, waiting]) => ({ sendingAccountId, waiting }));
    // Who was refused tries again at once: without a part nothing is granted.
    if (!(await this.leases.divide(tenantId, limits, parts))) return;
    if (this.divided.size > MAX_TENANTS) this.divided.clear();
    this.divided.set(tenantId, { limits: whole, nextAt: now + DIVIDE_MS });
  }
}
