import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  EngineClock,
  newId,
  notFound,
  toPublicId,
  type InDoubtPolicy,
  type Issue,
  type Page,
  type PageRequest,
  type PlanId,
  checkCursors,
  isUuid,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import {
  isInDoubtPolicy,
  isStream,
  PLAN_DEFAULTS,
  planIssues,
  type NewPlan,
  type Plan,
  type Tier,
} from './new-plan.policy';
import { FREE } from './plan-price.policy';
import { PlanPriceRepository } from './plan-price.repository';
import { PlanRepository } from './plan.repository';
import { rampIssues, type TierRamp } from './tier-ramp.policy';

/** Plans are read by everybody and written by operators. */
@Injectable()
export class PlanService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly plans: PlanRepository,
    private readonly prices: PlanPriceRepository,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
  ) {}

  /** @throws DomainError INVALID_INPUT or CONFLICT, with every wrong field of the input at once. */
  create(input: NewPlan, by: Author): Promise<Plan> {
    return this.uow.forSystem(async () => {
      const issues = planIssues(input, await this.plans.tiers());
      const isCode = !issues.some(({ path }) => path?.[0] === 'code');
      if (isCode && (await this.plans.codeExists(input.code))) issues.push(codeTaken(input.code));
      DomainError.throwIfAny(issues);

      const { includedRecipients, overage, dedicatedIpFeeMicro, minimumMicro, monotone, ...rest } = {
        ...FREE,
        ...input,
      };
      const plan: Plan = {
        ...PLAN_DEFAULTS,
        ...rest,
        transactionalInDoubt: policyOf(input.transactionalInDoubt),
        marketingInDoubt: policyOf(input.marketingInDoubt),
        id: newId<PlanId>(),
        streams: input.streams.filter(isStream),
        createdAt: this.clock.now(),
      };
      if (!(await this.plans.insert(plan))) throw new DomainError(codeTaken(input.code));
      const { baseFeeMicro, createdAt: validFrom } = plan;
      const terms = { baseFeeMicro, includedRecipients, overage, dedicatedIpFeeMicro, minimumMicro, monotone };
      await this.prices.insert({ ...terms, planId: plan.id, validFrom, source: 'the price the plan was made with' });
      await this.audit.record({
        ...by,
        action: 'plan.create',
        subject: toPublicId('plan', plan.id),
        detail: { code: plan.code, tier: plan.tier, streams: plan.streams, weight: plan.weight },
      });
      return plan;
    });
  }

  /** @throws DomainError NOT_FOUND */
  async get(id: PlanId): Promise<Plan> {
    const [plan] = await this.findByIds([id]);
    if (!plan) throw notFound('The plan', ['planId']);
    return plan;
  }

  /** Those of the ids that exist, in no particular order. */
  async findByIds(ids: readonly PlanId[]): Promise<Plan[]> {
    const known = ids.filter((id) => isUuid(id));
    return known.length === 0 ? [] : this.uow.forShared(() => this.plans.findByIds(known, this.clock.now()));
  }

  /** In order of creation; a cursor is the id of a plan. */
  async list(page: PageRequest): Promise<Page<Plan>> {
    checkCursors(page);
    return this.uow.forShared(() => this.plans.page(page, this.clock.now()));
  }

  /**
   * How fast the volume of the tier's tenants may grow; in force within seconds.
   * @throws DomainError INVALID_INPUT or NOT_FOUND
   */
  setRamp(code: string, ramp: TierRamp, by: Author): Promise<Tier> {
    return this.uow.forSystem(async () => {
      DomainError.throwIfAny(rampIssues(ramp));
      // Looked up here: PostgreSQL takes no text with a NUL.
      const isKnown = (await this.plans.tiers()).some((one) => one.code === code);
      const tier = isKnown ? await this.plans.setRamp(code, ramp) : undefined;
      if (!tier) throw notFound('The tier', ['tier']);
      const detail = { floor: ramp.floor.toString(), factor: ramp.factor };
      await this.audit.record({ ...by, action: 'tier.set-ramp', subject: code, detail });
      return tier;
    });
  }

  /** From the lowest rank to the highest. */
  tiers(): Promise<Tier[]> {
    return this.uow.forShared(() => this.plans.tiers());
  }
}

function policyOf(text: string | undefined): InDoubtPolicy {
  return text !== undefined && isInDoubtPolicy(text) ? text : PLAN_DEFAULTS.transactionalInDoubt;
}

function codeTaken(code: string): Issue {
  return {
    code: 'CONFLICT',
    message: `There is a plan with the code ${JSON.stringify(code)} already.`,
    path: ['code'],
  };
}
