import { UnitOfWork } from '@libs/database';
import { Timers, type Mode, type SendingAccountId, type TenantId } from '@libs/kernel';
import { Ledger, TenantLeases, type TenantLimits } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { LedgerKeeperRepository } from './ledger-keeper.repository';

/** How often a tenant's limits are divided anew, real milliseconds. */
const DIVIDE_MS = 5_000;
const MAX_TENANTS = 10_000;

/** A tenant on several accounts, and what waits on each. */
export interface SpreadTenant {
  readonly tenantId: TenantId;
  /** Each has accounts and limits of its own. */
  readonly mode: Mode;
  readonly limits: TenantLimits;
  readonly accounts: ReadonlyMap<SendingAccountId, number>;
  /** Those that it has left: what it used there counts, and no more than that. */
  readonly left: ReadonlySet<SendingAccountId>;
}

/** Divides the limits of tenants that send through several accounts, every few seconds each, and at once when they or the accounts have changed. */
@Injectable()
export class LeaseKeeper {
  private readonly divided = new Map<string, { readonly whole: string; readonly nextAt: number }>();

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: LedgerKeeperRepository,
    private readonly ledger: Ledger,
    private readonly leases: TenantLeases,
    private readonly timers: Timers,
  ) {}

  async divide({ tenantId, mode, limits, accounts, left }: SpreadTenant): Promise<void> {
    const now = this.timers.monotonicMs();
    const name = `${tenantId} ${mode}`;
    const last = this.divided.get(name);
    const where = [...accounts.keys()].sort().map((id) => (left.has(id) ? `-${id}` : id));
    const whole = [limits.dayCap, limits.rate?.num, limits.rate?.den, ...where].map(String).join(' ');
    if (last?.whole === whole && now < last.nextAt) return;
    const parts = [...accounts].map(([sendingAccountId, waiting]) => {
      const part = { sendingAccountId, waiting };
      return left.has(sendingAccountId)
        ? { ...part, usedBefore: () => this.usedThere(tenantId, sendingAccountId) }
        : part;
    });
    // Who was refused tries again at once: without a part nothing is granted.
    if (!(await this.leases.divide(tenantId, limits, parts))) return;
    if (this.divided.size > MAX_TENANTS) this.divided.clear();
    this.divided.set(name, { whole, nextAt: now + DIVIDE_MS });
  }

  private usedThere(tenant: TenantId, account: SendingAccountId): Promise<number> {
    return this.uow.forSystem(() => this.rows.usedThere(tenant, account, this.ledger.countedSince()));
  }
}
