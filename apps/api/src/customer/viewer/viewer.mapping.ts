import { toPublicId } from '@libs/kernel';
import type { Tenant as TenantRow } from '@libs/tenancy';
import { Tenant } from './viewer.type';

export function toTenant(row: TenantRow): Tenant {
  return Object.assign(new Tenant(), { id: toPublicId('tenant', row.id), name: row.name });
}
