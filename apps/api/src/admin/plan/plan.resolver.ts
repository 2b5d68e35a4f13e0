import { PlanService } from '@libs/plans';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { ForwardPageArgs, pageRequest, toConnection, type Connection } from '../../graphql/connection.type';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import type { AdminRequest } from '../admin.loaders';
import { inDollars, toPriceTerms } from './plan-price.mapping';
import { toPlan } from './plan.mapping';
import {
  CreatePlanInput,
  CreatePlanPayload,
  Plan,
  PlanConnection,
  SetTierRampInput,
  SetTierRampPayload,
  Tier,
} from './plan.type';

@Resolver(() => Plan)
export class PlanResolver {
  constructor(
    private readonly planService: PlanService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => PlanConnection, { description: 'Every plan, oldest first.' })
  async plans(@Args() wish: ForwardPageArgs): Promise<Connection<Plan>> {
    const plan = pageRequest(wish, 'oldest-first');
    return toConnection(plan, await this.planService.list(plan), (row) => row.id, toPlan);
  }

  @RequiresRole('viewer')
  @Query(() => [Tier], { description: 'Every tier, lowest first.' })
  tiers(): Promise<Tier[]> {
    return this.planService.tiers();
  }

  @RequiresRole('owner')
  @Mutation(() => CreatePlanPayload, { description: 'Makes a plan that tenants can be put on.' })
  createPlan(@Input() input: CreatePlanInput, @Context() context: AdminRequest): Promise<CreatePlanPayload> {
    return this.payloads.of<Omit<CreatePlanPayload, 'userErrors'>>({ plan: null }, async () => {
      const { baseFee, dedicatedIpFee, minimum, ...rest } = input;
      const wanted = {
        ...rest,
        ...toPriceTerms({ ...rest, baseFee, dedicatedIpFee, minimum }),
        recipientsPerDay: input.recipientsPerDay ?? null,
        recipientsPerSecond: input.recipientsPerSecond ?? null,
      };
      return { plan: toPlan(await inDollars(this.planService.create(wanted, authorOf(context)))) };
    });
  }

  @RequiresRole('owner')
  @Mutation(() => SetTierRampPayload, {
    description: 'Sets how fast the volume of a tier’s tenants may grow from day to day.',
  })
  setTierRamp(@Input() input: SetTierRampInput, @Context() context: AdminRequest): Promise<SetTierRampPayload> {
    return this.payloads.of<Omit<SetTierRampPayload, 'userErrors'>>({ tier: null }, async () => {
      const ramp = { floor: input.rampFloor, factor: input.rampFactor };
      return { tier: await this.planService.setRamp(input.tier, ramp, authorOf(context)) };
    });
  }
}
