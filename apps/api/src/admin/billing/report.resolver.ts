import { BillingReports } from '@libs/billing';
import { Args, Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { MarginViewEnum, type MarginView } from './billing.words';
import { toIdleCost, toMargin, toWaterfall } from './report.mapping';
import { CostWaterfall, IdleCost, MarginReport } from './report.type';

const PERIOD = { type: () => String, description: 'The month in UTC: "2026-11".' };

/** What a month cost and brought in. The same as CSV at /admin/reports. */
@Resolver()
export class ReportResolver {
  constructor(private readonly reports: BillingReports) {}

  @RequiresRole('viewer')
  @Query(() => MarginReport, {
    description:
      'Price less cost of a month, line by line with the versions of prices it was reckoned with. Issued invoices and credit notes count; who has none yet is priced as an invoice would be.',
  })
  async margin(
    @Args('period', PERIOD) period: string,
    @Args('by', { type: () => MarginViewEnum, defaultValue: 'TENANT', description: 'What a row is.' }) by: MarginView,
  ): Promise<MarginReport> {
    return toMargin(await this.reports.margin(period, by));
  }

  @RequiresRole('viewer')
  @Query(() => CostWaterfall, {
    description: 'From what tenants used to what the fleet cost in a month, step by step.',
  })
  async costWaterfall(@Args('period', PERIOD) period: string): Promise<CostWaterfall> {
    return toWaterfall(await this.reports.waterfall(period));
  }

  @RequiresRole('viewer')
  @Query(() => IdleCost, {
    description: 'What was paid for and not used, by account and pool, with what to do about it.',
  })
  async idleCost(@Args('period', PERIOD) period: string): Promise<IdleCost> {
    return toIdleCost(await this.reports.idle(period));
  }
}
