import { CostPolicyService } from '@libs/billing';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import type { AdminRequest } from '../admin.loaders';
import { CostPolicy, SetCostPolicyInput, SetCostPolicyPayload } from './cost-policy.type';

/** What is agreed about fees and idle capacity. */
@Resolver()
export class CostPolicyResolver {
  constructor(
    private readonly policies: CostPolicyService,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => CostPolicy, { description: 'Who bears fees and idle capacity in a month.' })
  async costPolicy(
    @Args('period', { type: () => String, description: 'The month in UTC: "2026-11".' }) period: string,
  ): Promise<CostPolicy> {
    return { period, ...(await this.policies.of(period)) };
  }

  @RequiresRole('owner')
  @Mutation(() => SetCostPolicyPayload, {
    description:
      'Sets who bears fees and idle capacity from a month on. A month that is closed already shows it once it is closed again.',
  })
  setCostPolicy(@Input() input: SetCostPolicyInput, @Context() context: AdminRequest): Promise<SetCostPolicyPayload> {
    const { period, fees, idle } = input;
    return this.payloads.of<Omit<SetCostPolicyPayload, 'userErrors'>>({ costPolicy: null }, async () => ({
      costPolicy: { period, ...(await this.policies.set(period, { fees, idle }, authorOf(context))) },
    }));
  }
}
