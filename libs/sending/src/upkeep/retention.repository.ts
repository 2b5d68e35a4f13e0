import { UnitOfWork } from '@libs/database';
import type { PlanId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** What a plan in use promises, in days. */
export interface PlanRetention {
  readonly planId: PlanId;
  readonly bodyDays: number;
  readonly metadataDays: number;
}

const IN_USE = `
  SELECT p.id AS "planId", p.body_retention_days AS "bodyDays", p.metadata_retention_days AS "metadataDays"
    FROM plan p WHERE EXISTS (SELECT FROM tenant t WHERE t.plan_id = p.id)`;

// Along the primary key of each tenant, oldest first; what still waits to be sent keeps its body.
const ERASE_BODIES = `
  WITH due AS (
    SELECT old.tenant_id, old.message_id
      FROM unnest($1::uuid[], $2::uuid[]) AS p (plan_id, before) JOIN tenant t ON t.plan_id = p.plan_id
     CROSS JOIN LATERAL (
       SELECT b.tenant_id, b.message_id FROM message_body b
         JOIN message m ON m.tenant_id = b.tenant_id AND m.id = b.message_id
        WHERE b.tenant_id = t.id AND b.message_id < p.before AND m.settled_at IS NOT NULL
        LIMIT $3) AS old
     LIMIT $3)
  DELETE FROM message_body b USING due WHERE b.tenant_id = due.tenant_id AND b.message_id = due.message_id
  RETURNING b.message_id`;

@Injectable()
export class RetentionRepository {
  constructor(private readonly uow: UnitOfWork) {}

  plansInUse(): Promise<PlanRetention[]> {
    return this.uow.query<PlanRetention>(IN_USE);
  }

  /** Erases bodies of settled messages whose id is below that of their plan, a page at a time; answers how many. */
  async eraseBodies(due: readonly { readonly planId: PlanId; readonly before: string }[], limit: number) {
    const plans = due.map(({ planId }) => planId);
    const before = due.map((plan) => plan.before);
    return (await this.uow.query(ERASE_BODIES, [plans, before, limit])).length;
  }
}
