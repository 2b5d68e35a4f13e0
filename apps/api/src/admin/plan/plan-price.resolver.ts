import type { PlanId } from '@libs/kernel';
import { PlanPriceService } from '@libs/plans';
import { Args, Context, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import { uuidOf } from '../../graphql/public-id';
import type { AdminRequest } from '../admin.loaders';
import { inDollars, toPlanPrice, toPriceTerms } from './plan-price.mapping';
import { PlanPrice, PublishPlanPriceInput, PublishPlanPricePayload } from './plan-price.type';

@Resolver(() => PlanPrice)
export class PlanPriceResolver {
  constructor(
    private readonly prices: PlanPriceService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => [PlanPrice], { description: 'Every version of what a plan costs, oldest first.' })
  async planPrices(
    @Args('planId', { type: () => ID, description: 'Public id (plan_...).' }) planId: string,
  ): Promise<PlanPrice[]> {
    return (await this.prices.list(uuidOf<PlanId>('plan', planId))).map(toPlanPrice);
  }

  @RequiresRole('owner')
  @Mutation(() => PublishPlanPricePayload, {
    description: 'Publishes what a plan costs from a time on; until then it costs what it did.',
  })
  publishPlanPrice(
    @Input() input: PublishPlanPriceInput,
    @Context() context: AdminRequest,
  ): Promise<PublishPlanPricePayload> {
    return this.payloads.of<Omit<PublishPlanPricePayload, 'userErrors'>>({ planPrice: null }, async () => {
      const { validFrom, source } = input;
      const price = { ...toPriceTerms(input), validFrom, source };
      const plan = uuidOf<PlanId>('plan', input.planId);
      return { planPrice: toPlanPrice(await inDollars(this.prices.publish(plan, price, authorOf(context)))) };
    });
  }
}
