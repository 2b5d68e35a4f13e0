import { UnitOfWork } from '@libs/database';
import type { MessageId, PlanId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Day } from './day-partition.policy';
import type { Partitioned } from './partition.repository';

/** What a plan in use promises, in days. */
export interface PlanRetention {
  readonly planId: PlanId;
  readonly bodyDays: number;
  readonly metadataDays: number;
}

const IN_USE = `
  SELECT p.id AS "planId", p.body_retention_days AS "bodyDays", p.metadata_retention_days AS "metadataDays"
    FROM plan p WHERE EXISTS (SELECT FROM tenant t WHERE t.plan_id = p.id)`;

// Along the primary key of each tenant, and no further than the page; what still waits to be sent keeps its body.
const DUE_BODIES = `
  SELECT old.tenant_id AS "tenantId", old.message_id AS "messageId"
    FROM unnest($1::uuid[], $2::uuid[]) AS p (plan_id, before) JOIN tenant t ON t.plan_id = p.plan_id
   CROSS JOIN LATERAL (
     SELECT b.tenant_id, b.message_id FROM message_body b
      WHERE b.tenant_id = t.id AND b.message_id < p.before
        AND (SELECT m.settled_at FROM message m WHERE m.tenant_id = b.tenant_id AND m.id = b.message_id) IS NOT NULL
      LIMIT $3) AS old
   LIMIT $3`;

// A statement of its own, with the span of the ids: joined to the search above it would read every partition.
const ERASE_BODIES = `
  DELETE FROM message_body b USING unnest($1::uuid[], $2::uuid[]) AS due (tenant_id, message_id)
   WHERE b.tenant_id = due.tenant_id AND b.message_id = due.message_id AND b.message_id BETWEEN $3 AND $4
  RETURNING b.message_id`;

@Injectable()
export class RetentionRepository {
  constructor(private readonly uow: UnitOfWork) {}

  plansInUse(): Promise<PlanRetention[]> {
    return this.uow.query<PlanRetention>(IN_USE);
  }

  /** From now on nothing before that day is in the table: what it says of earlier days is not the whole. */
  async noteDropped(table: Partitioned, before: Day): Promise<void> {
    await this.uow.query(
      `INSERT INTO dropped_days (parent, before) VALUES ($1, $2::date)
       ON CONFLICT (parent) DO UPDATE SET before = greatest(dropped_days.before, excluded.before)`,
      [table, before],
    );
  }

  /** What attachments weighed, of messages whose attempts are gone. */
  async dropAttachments(beforeId: string): Promise<void> {
    await this.uow.query('DELETE FROM message_attachment WHERE message_id < $1::uuid', [beforeId]);
  }

  /** Erases bodies of settled messages whose id is below that of their plan, a page at a time; answers how many. */
  async eraseBodies(
    plans: readonly { readonly planId: PlanId; readonly before: string }[],
    limit: number,
  ): Promise<number> {
    const ids = plans.map(({ planId }) => planId);
    const before = plans.map((plan) => plan.before);
    const due = await this.uow.query<{ tenantId: TenantId; messageId: MessageId }>(DUE_BODIES, [ids, before, limit]);
    const messages = due.map(({ messageId }) => messageId);
    const sorted = [...messages].sort();
    if (sorted.length === 0) return 0;
    const tenants = due.map(({ tenantId }) => tenantId);
    return (await this.uow.query(ERASE_BODIES, [tenants, messages, sorted.at(0), sorted.at(-1)])).length;
  }
}
