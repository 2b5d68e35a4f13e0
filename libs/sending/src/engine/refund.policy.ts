import type { TenantId } from '@libs/kernel';
import type { Refund } from '@libs/quota';

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
