import { PeriodOverview, PeriodService } from '@libs/billing';
import { formatUsd } from '@libs/kernel';
import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { authorOf } from '../../auth/author';
import { Input } from '../../graphql/input.decorator';
import { Payloads } from '../../graphql/payload';
import type { AdminRequest } from '../admin.loaders';
import {
  BillImport,
  BillingAlarm,
  BillingPeriod,
  BillingVerdict,
  ClosePeriodInput,
  ClosePeriodPayload,
  FinalisePeriodInput,
  FinalisePeriodPayload,
} from './period.type';

/** Months and their close. A worker does what is asked here. */
@Resolver(() => BillingPeriod)
export class PeriodResolver {
  constructor(
    private readonly periods: PeriodService,
    private readonly overview: PeriodOverview,
    private readonly payloads: Payloads,
  ) {}

  @RequiresRole('viewer')
  @Query(() => [BillingPeriod], { description: 'Every month that something is known of, newest first.' })
  billingPeriods(): Promise<BillingPeriod[]> {
    return this.periods.all();
  }

  @RequiresRole('viewer')
  @Query(() => BillingPeriod, {
    nullable: true,
    description: 'A month: state, progress of its close, alarms, imports. Null when nothing is known of it yet.',
  })
  async billingPeriod(
    @Args('period', { type: () => String, description: 'The month in UTC: "2026-11".' }) period: string,
  ): Promise<BillingPeriod | null> {
    return (await this.periods.status(period)) ?? null;
  }

  @RequiresRole('operator')
  @Mutation(() => ClosePeriodPayload, {
    description: 'Asks for a month that is over to be reckoned and its invoices drafted. Asking twice is asking once.',
  })
  closePeriod(@Input() input: ClosePeriodInput, @Context() context: AdminRequest): Promise<ClosePeriodPayload> {
    return this.payloads.of<Omit<ClosePeriodPayload, 'userErrors'>>({ period: null }, async () => ({
      period: await this.periods.ask(input.period, 'PROVISIONAL', authorOf(context)),
    }));
  }

  @RequiresRole('owner')
  @Mutation(() => FinalisePeriodPayload, {
    description: 'Asks for a month’s invoices to be issued and the month to be sealed. There is no way back.',
  })
  finalisePeriod(
    @Input() input: FinalisePeriodInput,
    @Context() context: AdminRequest,
  ): Promise<FinalisePeriodPayload> {
    const { period, withoutBill } = input;
    return this.payloads.of<Omit<FinalisePeriodPayload, 'userErrors'>>({ period: null }, async () => ({
      period: await this.periods.ask(period, 'FINAL', authorOf(context), { withoutBill }),
    }));
  }

  @ResolveField(() => [BillingAlarm], { description: 'What its last comparison with AWS’s bill found, dearest first.' })
  async alarms(@Parent() { period }: BillingPeriod): Promise<BillingAlarm[]> {
    return (await this.overview.alarms(period)).map(({ oursMicro, billedMicro, ...alarm }) => ({
      ...alarm,
      ours: formatUsd(oursMicro),
      billed: formatUsd(billedMicro),
    }));
  }

  @ResolveField(() => [BillImport], { description: 'AWS’s reports of it, the last one first; superseded ones too.' })
  async imports(@Parent() { period }: BillingPeriod): Promise<BillImport[]> {
    return (await this.overview.imports(period)).map(({ id, totalMicro, outsideMicro, ...report }) => ({
      ...report,
      id: id.toString(),
      total: formatUsd(totalMicro),
      outside: formatUsd(outsideMicro),
    }));
  }

  @ResolveField(() => [BillingVerdict], {
    description:
      'Whether its books hold what they must: judged every night for the running month and the last closed one. Empty: not judged yet.',
  })
  async verdicts(@Parent() { period }: BillingPeriod): Promise<BillingVerdict[]> {
    return (await this.overview.judged(period)).map(({ id, ...verdict }) => ({ ...verdict, invariant: id.toString() }));
  }
}
