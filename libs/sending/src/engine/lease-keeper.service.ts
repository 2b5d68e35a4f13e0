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

/** Divides the limits of tenants that send through several accounts, every few seconds each. */
@Injectable()
export class LeaseKeeper {
  private readonly nextAt = new Map<TenantId, number>();

  constructor(
    private readonly leases: TenantLeases,
    private readonly timers: Timers,
  ) {}

  async divide({ tenantId, limits, accounts }: SpreadTenant): Promise<void> {
    const now = this.timers.monotonicMs();
    if (now < (this.nextAt.get(tenantId) ?? 0)) return;
    const parts = [...accounts].map(([sendingAccountId, waiting]) => ({ sendingAccountId, waiting }));
    // Who was refused tries again at once: without a part nothing is granted.
    if (!(await this.leases.divide(tenantId, limits, parts))) return;
    if (this.nextAt.size > MAX_TENANTS) this.nextAt.clear();
    this.nextAt.set(tenantId, now + DIVIDE_MS);
  }
}
