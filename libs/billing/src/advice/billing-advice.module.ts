import { AuditModule } from '@libs/audit';
import { PlansModule } from '@libs/plans';
import { Module, type DynamicModule } from '@nestjs/common';
import { BillingModule } from '../billing.module';
import { BillingPeriodsModule } from '../close/billing-periods.module';
import { InvoiceFactsRepository } from '../invoice/invoice-facts.repository';
import { InvoiceFactsService } from '../invoice/invoice-facts.service';
import { InvoiceRepository } from '../invoice/invoice.repository';
import { RateRepository } from '../rates/rate.repository';
import { BillingAdvice } from './billing-advice.service';
import { BillingReports } from './billing-reports.service';
import { CostShareRepository } from './cost-share.repository';
import { FleetNamesRepository } from './fleet-names.repository';
import { MonthMoneyService } from './month-money.service';
import { RollUpRepository } from '../usage/roll-up.repository';
import { UsageDays } from '../usage/usage-days.service';
import { ReportFiles } from './report-files.service';

/** What operators ask about money. */
@Module({})
export class BillingAdviceModule {
  /** @param invoicing the process's own: reports list what it issued */
  static forRoot(invoicing: DynamicModule): DynamicModule {
    return {
      module: BillingAdviceModule,
      imports: [AuditModule, BillingModule, BillingPeriodsModule, PlansModule, invoicing],
      providers: [
        RateRepository,
        InvoiceFactsRepository,
        InvoiceFactsService,
        InvoiceRepository,
        CostShareRepository,
        FleetNamesRepository,
        MonthMoneyService,
        BillingReports,
        BillingAdvice,
        ReportFiles,
        RollUpRepository,
        UsageDays,
      ],
      exports: [BillingReports, BillingAdvice, ReportFiles, UsageDays],
    };
  }
}
