import { CostService, EstimateService } from '@libs/billing';
import { formatUsd, type Mode, type Stream } from '@libs/kernel';
import { LimitsService } from '@libs/sending';
import { Args, Context, Int, Query, Resolver } from '@nestjs/graphql';
import { RequiresScope } from '../../auth/access.decorator';
import { DateTime } from '../../graphql/scalars';
import { StreamEnum } from '../../graphql/words.type';
import type { CustomerRequest } from '../customer.loaders';
import { Forecast, Usage } from './usage.type';

@Resolver()
export class UsageResolver {
  constructor(
    private readonly limits: LimitsService,
    private readonly costs: CostService,
    private readonly estimates: EstimateService,
  ) {}

  @RequiresScope('read')
  @Query(() => Forecast, { description: 'When would this volume be out, and what would it cost? Reserves nothing.' })
  async forecast(
    @Args('recipients', { type: () => Int, description: '1 to 1,000,000,000.' }) recipients: number,
    @Args('stream', { type: () => StreamEnum, description: 'A stream of your plan.' }) stream: Stream,
    @Args('startAt', { type: () => DateTime, nullable: true, description: 'Not before this. Default: now.' })
    startAt: Date | null,
    @Context() { principal }: CustomerRequest,
  ): Promise<Forecast> {
    const { tenantId, mode } = principal;
    const expected = await this.limits.forecast(tenantId, mode, { recipients, stream, startAt });
    return { ...expected, cost: formatUsd(await this.priceOf(mode, recipients)) };
  }

  @RequiresScope('billing:read')
  @Query(() => Usage, {
    description: 'Live recipients sent to from `from` until before `to`, and what they cost so far.',
  })
  async usage(
    @Args('from', { type: () => DateTime, description: 'The start.' }) from: Date,
    @Args('to', { type: () => DateTime, description: 'The end; later than `from`.' }) to: Date,
    @Context() { principal }: CustomerRequest,
  ): Promise<Usage> {
    const { recipients, chargeMicro } = await this.costs.usage(principal.tenantId, from, to);
    return { recipients, charge: formatUsd(chargeMicro), currency: 'USD' };
  }

  /** At the pay-as-you-go rate in force now. Test mode is never billed. */
  private async priceOf(mode: Mode, recipients: number): Promise<bigint> {
    if (mode === 'TEST') return 0n;
    const demand = { recipientsPerMonth: BigInt(recipients), dedicatedIps: 0n, pricingPlan: 'NONE' };
    return (await this.estimates.estimate(demand)).totalMicro;
  }
}
