import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  EngineClock,
  isHeaderSafe,
  newId,
  notFound,
  toPublicId,
  type Issue,
  type Page,
  type PageRequest,
  type PlanId,
  type TenantId,
  checkCursors,
  isUuid,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { isName } from './new-api-key.policy';
import { TenantRepository, type Tenant } from './tenant.repository';

const REASON_LENGTH = 500;

/** Tenants: operators make, pause and move them between plans; a customer's request may read its own. */
@Injectable()
export class TenantService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly tenants: TenantRepository,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
  ) {}

  /** @throws DomainError INVALID_INPUT (name) and NOT_FOUND (planId), both at once when both are wrong. */
  create(input: { readonly name: string; readonly planId: PlanId }, by: Author): Promise<Tenant> {
    return this.uow.forSystem(async () => {
      const issues: Issue[] = [];
      if (!isName(input.name)) {
        issues.push({ code: 'INVALID_INPUT', message: 'Expected 1 to 120 printable characters.', path: ['name'] });
      }
      if (!(await this.planExists(input.planId))) issues.push(noPlan());
      DomainError.throwIfAny(issues);

      const tenant: Tenant = {
        id: newId<TenantId>(),
        name: input.name,
        planId: input.planId,
        state: 'ACTIVE',
        pausedReason: null,
        createdAt: this.clock.now(),
      };
      await this.tenants.insert(tenant);
      await this.record(tenant, 'tenant.create', by, { name: tenant.name, planId: toPublicId('plan', tenant.planId) });
      return tenant;
    });
  }

  /** @throws DomainError NOT_FOUND */
  async get(id: TenantId): Promise<Tenant> {
    const [tenant] = isUuid(id) ? await this.uow.forTenant(id, () => this.tenants.findByIds([id])) : [];
    if (!tenant) throw noTenant();
    return tenant;
  }

  /** Those of the ids that exist, in no particular order. For operators and the engine. */
  async findByIds(ids: readonly TenantId[]): Promise<Tenant[]> {
    const known = ids.filter((id) => isUuid(id));
    return known.length === 0 ? [] : this.uow.forSystem(() => this.tenants.findByIds(known));
  }

  /** In order of creation; a cursor is the id of a tenant. For operators and the engine. */
  async list(page: PageRequest): Promise<Page<Tenant>> {
    checkCursors(page);
    return this.uow.forSystem(() => this.tenants.page(page));
  }

  /**
   * Puts the tenant on another plan. Where it sends from is placement's to change afterwards.
   * @throws DomainError NOT_FOUND (tenantId, planId)
   */
  setPlan(id: TenantId, planId: PlanId, by: Author): Promise<Tenant> {
    return this.change(id, by, 'tenant.set-plan', async (tenant) => {
      if (!(await this.planExists(planId))) throw new DomainError(noPlan());
      return { ...tenant, planId };
    });
  }

  /**
   * Stops sending for this tenant from its next claim on; what waits keeps waiting.
   * @throws DomainError INVALID_INPUT (reason), NOT_FOUND (tenantId)
   */
  pause(id: TenantId, reason: string, by: Author): Promise<Tenant> {
    return this.change(id, by, 'tenant.pause', (tenant) => {
      if (reason.trim() === '' || reason.length > REASON_LENGTH || !isHeaderSafe(reason)) {
        throw new DomainError({
          code: 'INVALID_INPUT',
          message: `Expected 1 to ${REASON_LENGTH} printable characters.`,
          path: ['reason'],
        });
      }
      return { ...tenant, state: 'PAUSED', pausedReason: reason };
    });
  }

  /** @throws DomainError NOT_FOUND (tenantId) */
  resume(id: TenantId, by: Author): Promise<Tenant> {
    return this.change(id, by, 'tenant.resume', (tenant) => ({ ...tenant, state: 'ACTIVE', pausedReason: null }));
  }

  /** Changes a locked row and audits the difference; no difference, no entry. */
  private change(
    id: TenantId,
    by: Author,
    action: string,
    decide: (tenant: Tenant) => Tenant | Promise<Tenant>,
  ): Promise<Tenant> {
    return this.uow.forSystem(async () => {
      const before = isUuid(id) ? await this.tenants.lock(id) : undefined;
      if (!before) throw noTenant();
      const after = await decide(before);
      const changed = (['planId', 'state', 'pausedReason'] as const).filter((field) => before[field] !== after[field]);
      if (changed.length === 0) return before;
      await this.tenants.update(after, this.clock.now());
      const detail = Object.fromEntries(changed.map((field) => [field, { from: before[field], to: after[field] }]));
      await this.record(after, action, by, detail);
      return after;
    });
  }

  private async planExists(id: PlanId): Promise<boolean> {
    return isUuid(id) && (await this.tenants.planExists(id));
  }

  private record(tenant: Tenant, action: string, by: Author, detail: Record<string, unknown>): Promise<void> {
    return this.audit.record({ ...by, action, subject: toPublicId('tenant', tenant.id), tenant: tenant.id, detail });
  }
}

function noTenant(): DomainError {
  return notFound('The tenant', ['tenantId']);
}

function noPlan(): Issue {
  return { code: 'NOT_FOUND', message: 'The plan was not found.', path: ['planId'] };
}
