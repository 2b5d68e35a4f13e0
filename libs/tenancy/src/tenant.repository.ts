import { UnitOfWork } from '@libs/database';
import { isBackwards, toPage, type Page, type PageRequest, type PlanId, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** A customer of the operator. */
export interface Tenant {
  readonly id: TenantId;
  readonly name: string;
  readonly planId: PlanId;
  readonly state: 'ACTIVE' | 'PAUSED';
  /** Why nothing of this tenant is sent; null unless PAUSED. */
  readonly pausedReason: string | null;
  readonly createdAt: Date;
}

interface TenantRow {
  id: TenantId;
  name: string;
  plan_id: PlanId;
  state: Tenant['state'];
  paused_reason: string | null;
  created_at: Date;
}

const COLUMNS = 'id, name, plan_id, state, paused_reason, created_at';
const FIND = `SELECT ${COLUMNS} FROM tenant WHERE id = ANY($1::uuid[])`;
const LOCK = `SELECT ${COLUMNS} FROM tenant WHERE id = $1 FOR NO KEY UPDATE`;
// Creation order: the cursor is the id of a row, and uuid v7 grows with time.
const BETWEEN = `SELECT ${COLUMNS} FROM tenant WHERE ($1::uuid IS NULL OR id > $1) AND ($2::uuid IS NULL OR id < $2)`;
const PAGE_FORWARDS = `${BETWEEN} ORDER BY id LIMIT $3`;
const PAGE_BACKWARDS = `${BETWEEN} ORDER BY id DESC LIMIT $3`;

@Injectable()
export class TenantRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Plans belong to a sibling lib; all that is needed of them here is that the reference holds. */
  async planExists(plan: PlanId): Promise<boolean> {
    return (await this.uow.query('SELECT 1 FROM plan WHERE id = $1', [plan])).length > 0;
  }

  async insert(tenant: Tenant): Promise<void> {
    await this.uow.query(
      `INSERT INTO tenant (id, name, plan_id, state, paused_reason, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
      [tenant.id, tenant.name, tenant.planId, tenant.state, tenant.pausedReason, tenant.createdAt],
    );
    await this.uow.query('INSERT INTO tenant_plan (tenant_id, plan_id, valid_from) VALUES ($1, $2, $3)', [
      tenant.id,
      tenant.planId,
      tenant.createdAt,
    ]);
  }

  /** The row, locked until the unit ends. */
  async lock(id: TenantId): Promise<Tenant | undefined> {
    const [row] = await this.uow.query<TenantRow>(LOCK, [id]);
    return row && toTenant(row);
  }

  /** @param at when: from then on the plan counts, if it is another one */
  async update(tenant: Tenant, at: Date): Promise<void> {
    await this.uow.query('UPDATE tenant SET plan_id = $2, state = $3, paused_reason = $4 WHERE id = $1', [
      tenant.id,
      tenant.planId,
      tenant.state,
      tenant.pausedReason,
    ]);
    await this.uow.query(
      'UPDATE tenant_plan SET valid_to = $3 WHERE tenant_id = $1 AND plan_id <> $2 AND valid_to IS NULL AND valid_from < $3',
      [tenant.id, tenant.planId, at],
    );
    // Two changes at one moment leave the last one.
    await this.uow.query(
      `INSERT INTO tenant_plan (tenant_id, plan_id, valid_from)
       SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM tenant_plan WHERE tenant_id = $1 AND plan_id = $2 AND valid_to IS NULL)
       ON CONFLICT (tenant_id, valid_from) DO UPDATE SET plan_id = excluded.plan_id`,
      [tenant.id, tenant.planId, at],
    );
  }

  async findByIds(ids: readonly TenantId[]): Promise<Tenant[]> {
    return (await this.uow.query<TenantRow>(FIND, [ids])).map(toTenant);
  }

  async page(request: PageRequest): Promise<Page<Tenant>> {
    const rows = await this.uow.query<TenantRow>(isBackwards(request) ? PAGE_BACKWARDS : PAGE_FORWARDS, [
      request.after ?? null,
      request.before ?? null,
      request.limit + 1,
    ]);
    return toPage(rows.map(toTenant), request);
  }
}

function toTenant(row: TenantRow): Tenant {
  return {
    id: row.id,
    name: row.name,
    planId: row.plan_id,
    state: row.state,
    pausedReason: row.paused_reason,
    createdAt: row.created_at,
  };
}
