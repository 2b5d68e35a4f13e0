import type { Suppression as SuppressionRow } from '@libs/deliverability';
import { toPublicId } from '@libs/kernel';
import { Suppression } from './suppression.type';

export function toSuppression(row: SuppressionRow): Suppression {
  return Object.assign(new Suppression(), {
    id: toPublicId('suppression', row.id),
    address: row.address,
    reason: row.reason,
    createdAt: row.createdAt,
    causeId: row.causeEventId,
  });
}
