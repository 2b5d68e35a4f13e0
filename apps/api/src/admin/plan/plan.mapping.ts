import { formatUsd, toPublicId } from '@libs/kernel';
import type { Plan as PlanRow } from '@libs/plans';
import type { Plan } from './plan.type';

export function toPlan(row: PlanRow): Plan {
  return {
    id: toPublicId('plan', row.id),
    code: row.code,
    name: row.name,
    tier: row.tier,
    streams: [...row.streams],
    weight: row.weight,
    recipientsPerDay: row.recipientsPerDay,
    recipientsPerSecond: row.recipientsPerSecond,
    dedicatedIps: row.dedicatedIps,
    baseFee: formatUsd(row.baseFeeMicro),
    bodyRetentionDays: row.bodyRetentionDays,
    metadataRetentionDays: row.metadataRetentionDays,
    transactionalInDoubt: row.transactionalInDoubt,
    marketingInDoubt: row.marketingInDoubt,
    createdAt: row.createdAt,
  };
}
