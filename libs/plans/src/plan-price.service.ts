import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { DomainError, EngineClock, formatUsd, notFound, toPublicId, type PlanId, isUuid } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import {
  priceIssues,
  sourceIssues,
  successionIssues,
  type NewPlanPrice,
  type PlanPrice,
  type PriceTerms,
} from './plan-price.policy';
import { PlanPriceRepository } from './plan-price.repository';

/** What plans cost, version by version. A published version never changes; the next one ends it. */
@Injectable()
export class PlanPriceService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly prices: PlanPriceRepository,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Publishes what the plan costs from `validFrom` on.
   * @throws DomainError INVALID_INPUT (every wrong field at once; validFrom in the past), CONFLICT (validFrom before a
   * price that is published already), NOT_FOUND (planId)
   */
  publish(planId: PlanId, price: NewPlanPrice, by: Author): Promise<PlanPrice> {
    return this.uow.forSystem(async () => {
      if (!isUuid(planId) || !(await this.prices.lockPlan(planId))) throw notFound('The plan', ['planId']);
      const latest = (await this.prices.ofPlan(planId)).at(-1);
      DomainError.throwIfAny([
        ...priceIssues(price),
        ...sourceIssues(price.source),
        ...successionIssues(price.validFrom, latest, this.clock.now()),
      ]);
      if (latest) await this.prices.end(latest.id, price.validFrom);
      const id = await this.prices.insert({ ...price, planId });
      const detail = {
        version: id.toString(),
        validFrom: price.validFrom.toISOString(),
        baseFee: { from: formatUsd(latest?.baseFeeMicro ?? 0n), to: formatUsd(price.baseFeeMicro) },
        source: price.source,
      };
      await this.audit.record({ ...by, action: 'plan-price.publish', subject: toPublicId('plan', planId), detail });
      return { ...price, id, planId, validTo: null };
    });
  }

  /** Terms that are only tried out. @throws DomainError INVALID_INPUT (every wrong field at once) */
  check(terms: PriceTerms): void {
    DomainError.throwIfAny(priceIssues(terms));
  }

  /** Every version of a plan's price, oldest first. */
  async list(planId: PlanId): Promise<PlanPrice[]> {
    return isUuid(planId) ? this.uow.forShared(() => this.prices.ofPlan(planId)) : [];
  }

  /** Every version of every plan that is in force at some time from `from` until before `to`. */
  within(from: Date, to: Date): Promise<PlanPrice[]> {
    return this.uow.forShared(() => this.prices.within(from, to));
  }
}
