import { BillingAdvice } from '@libs/billing';
import { beneath, type PlanId, type TenantId } from '@libs/kernel';
import { Args, ID, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { uuidOf } from '../../graphql/public-id';
import { inDollars, toPriceTerms } from '../plan/plan-price.mapping';
import { DedicatedIpArgs, PlanTermsInput } from './advice.input';
import { toIpAdvice, toPlanAdvice, toWhatIf } from './advice.mapping';
import { DedicatedIpAdvice, PricingPlanAdvice } from './advice.type';
import { PriceWhatIf } from './report.type';

/** What would be better, and what would be otherwise. Nothing is changed by asking. */
@Resolver()
export class AdviceResolver {
  constructor(private readonly advice: BillingAdvice) {}

  @RequiresRole('viewer')
  @Query(() => PricingPlanAdvice, {
    description: 'What each account’s month would cost on each of SES’s pricing plans at the rates in force now.',
  })
  async pricingPlanAdvice(
    @Args('period', { type: () => String, description: 'The month in UTC: "2026-11".' }) period: string,
  ): Promise<PricingPlanAdvice> {
    return toPlanAdvice(await this.advice.pricingPlans(period));
  }

  @RequiresRole('viewer')
  @Query(() => DedicatedIpAdvice, {
    description: 'When a dedicated IP pays: against shared and managed ones, and against what a tenant pays.',
  })
  async dedicatedIpAdvice(@Args() asked: DedicatedIpArgs): Promise<DedicatedIpAdvice> {
    return toIpAdvice(
      await this.advice.dedicatedIp({
        tenantId: asked.tenantId ? uuidOf<TenantId>('tenant', asked.tenantId) : null,
        period: asked.period ?? null,
        recipients: asked.recipientsPerMonth ?? null,
        ips: BigInt(asked.dedicatedIps),
      }),
    );
  }

  @RequiresRole('viewer')
  @Query(() => PriceWhatIf, { description: 'What a month’s usage would have brought in under other terms.' })
  async priceWhatIf(
    @Args('period', { type: () => String, description: 'The month in UTC: "2026-11".' }) period: string,
    @Args('terms', { type: () => PlanTermsInput, description: 'The terms to try.' }) terms: PlanTermsInput,
    @Args('planId', { type: () => ID, nullable: true, description: 'Tenants of this plan only. Null: of every plan.' })
    planId: string | null | undefined,
  ): Promise<PriceWhatIf> {
    const plan = planId ? uuidOf<PlanId>('plan', planId) : null;
    return toWhatIf(
      await inDollars(
        this.advice.priceWhatIf(
          period,
          plan,
          beneath('terms', () => toPriceTerms(terms)),
        ),
      ),
    );
  }
}
