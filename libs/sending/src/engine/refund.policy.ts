import type { TenantId } from '@libs/kernel';
import type { Refund } from '@libs/quota';
import type { AttemptEnd, Verdict } from './outcome.policy';

interface Granted {
  readonly tenantId: TenantId;
  readonly recipients: number;
}

interface Used {
  readonly tenantId: TenantId;
  /** SES has it or may have it. */
  readonly used: number;
  /** SES refused it. */
  readonly refused: number;
}

/** Counts what a batch uses while its attempts end, as the database would from its rows. */
export class UsageCount {
  private readonly tenants = new Map<TenantId, { tenantId: TenantId; used: number; refused: number }>();

  add(tenantId: TenantId, recipients: number, attempt: Verdict['attempt'], end: AttemptEnd): void {
    let entry = this.tenants.get(tenantId);
    if (entry === undefined) {
      entry = { tenantId, used: 0, refused: 0 };
      this.tenants.set(tenantId, entry);
    }
    if (attempt === 'SENT' || attempt === 'IN_DOUBT') entry.used += recipients;
    else if (end.kind !== 'unstarted') entry.refused += recipients;
  }

  /** Recipients SES has or may have. */
  get used(): number {
    let sum = 0;
    for (const { used } of this.tenants.values()) sum += used;
    return sum;
  }

  get byTenant(): Used[] {
    return [...this.tenants.values()];
  }
}

/** What a grant gives back, per tenant: exact, because attempts name their batch. */
export function refundsOf(granted: readonly Granted[], usage: readonly Used[]): Refund[] {
  const perTenant = new Map<TenantId, number>();
  for (const { tenantId, recipients } of granted) {
    perTenant.set(tenantId, (perTenant.get(tenantId) ?? 0) + recipients);
  }
  return [...perTenant].map(([tenantId, recipients]) => {
    const own = usage.find((entry) => entry.tenantId === tenantId) ?? { used: 0, refused: 0 };
    const refused = Math.min(own.refused, recipients - Math.min(own.used, recipients));
    return { tenantId, refused, unused: Math.max(0, recipients - own.used - refused) };
  });
}
