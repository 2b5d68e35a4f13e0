import { UnitOfWork } from '@libs/database';
import { Timers, type Mode, type SendingAccountId, type TenantId } from '@libs/kernel';
import { Ledger, TenantLeases, type Division, type TenantLimits } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { LedgerKeeperRepository } from './ledger-keeper.repository';

/** How often a tenant's limits are divided anew, real milliseconds. */
const DIVIDE_MS = 5_000;
/** So many who have no mail waiting are remembered besides as many as have. */
const MOST_OTHERS = 1_000;

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

  /** Those whose turn it is, all at once. Answers what went wrong with the others, each under its tenant. */
  async divide(tenants: readonly SpreadTenant[]): Promise<Map<TenantId, unknown>> {
    const now = this.timers.monotonicMs();
    const due = tenants.flatMap((tenant) => {
      const [name, whole] = [nameOf(tenant), wholeOf(tenant)];
      const last = this.divided.get(name);
      return last?.whole === whole && now < last.nextAt ? [] : [{ tenant, name, whole }];
    });
    if (due.length === 0) return new Map();
    const ends = await this.leases.divide(due.map(({ tenant }) => this.divisionOf(tenant)));
    this.forgetOthers(tenants);
    const failed = new Map<TenantId, unknown>();
    for (const [i, { tenant, name, whole }] of due.entries()) {
      const end = ends[i];
      if (end === true) this.divided.set(name, { whole, nextAt: now + DIVIDE_MS });
      // Who was refused tries again at once: without a part nothing is granted.
      else if (typeof end === 'object') failed.set(tenant.tenantId, end.error);
    }
    return failed;
  }

  private forgetOthers(tenants: readonly SpreadTenant[]): void {
    if (this.divided.size <= 2 * tenants.length + MOST_OTHERS) return;
    const named = new Set(tenants.map(nameOf));
    for (const name of this.divided.keys()) if (!named.has(name)) this.divided.delete(name);
  }

  private divisionOf({ tenantId: tenant, limits, accounts, left }: SpreadTenant): Division {
    const parts = [...accounts].map(([sendingAccountId, waiting]) => {
      const part = { sendingAccountId, waiting };
      return left.has(sendingAccountId)
        ? { ...part, usedBefore: () => this.usedThere(tenant, sendingAccountId) }
        : part;
    });
    return { tenant, limits, accounts: parts };
  }

  private usedThere(tenant: TenantId, account: SendingAccountId): Promise<number> {
    return this.uow.forSystem(() => this.rows.usedThere(tenant, account, this.ledger.countedSince()));
  }
}

function nameOf({ tenantId, mode }: SpreadTenant): string {
  return `${tenantId} ${mode}`;
}

/** What a division depends on, besides what waits. */
function wholeOf({ limits, accounts, left }: SpreadTenant): string {
  const where = [...accounts.keys()].sort().map((id) => (left.has(id) ? `-${id}` : id));
  return [limits.dayCap, limits.rate?.num, limits.rate?.den, ...where].map(String).join(' ');
}
