import { toPublicId } from '@libs/kernel';
import type { Placement as PlacementRow, TenantMove as TenantMoveRow } from '@libs/placement';
import type { Placement, TenantMove } from './placement.type';

export function toPlacement(row: PlacementRow): Placement {
  return {
    ...row,
    id: toPublicId('placement', row.id),
    tenantId: toPublicId('tenant', row.tenantId),
  };
}

export function toTenantMove(row: TenantMoveRow): TenantMove {
  return { ...row, id: toPublicId('tenantMove', row.id), tenantId: toPublicId('tenant', row.tenantId) };
}
