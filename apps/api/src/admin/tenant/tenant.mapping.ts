import type { Domain as DomainRow } from '@libs/fleet';
import { toPublicId } from '@libs/kernel';
import type { Tenant as TenantRow } from '@libs/tenancy';
import type { Domain, ManagedTenant } from './tenant.type';

export function toTenant(row: TenantRow): ManagedTenant {
  return { ...row, uuid: row.id, id: toPublicId('tenant', row.id) };
}

export function toDomain(row: DomainRow): Domain {
  return { id: toPublicId('domain', row.id), name: row.name, state: row.state, checkedAt: row.checkedAt };
}
