import { AuditModule } from '@libs/audit';
import { Module } from '@nestjs/common';
import { BillingModule } from '../billing.module';
import { BillImportService } from '../bill/bill-import.service';
import { BillRepository } from '../bill/bill.repository';
import { BillingPeriodRepository } from './billing-period.repository';
import { FleetLineRepository } from './fleet-line.repository';
import { MonthLinesService } from './month-lines.service';
import { PeriodOverview } from './period-overview.service';
import { PeriodService } from './period.service';
import { ReconcileService } from './reconcile.service';
import { VerdictRepository } from '../verify/verdict.repository';

/** What operators do about months: look, ask for a close, import AWS's bill. */
@Module({
  imports: [AuditModule, BillingModule],
  providers: [
    BillingPeriodRepository,
    FleetLineRepository,
    BillRepository,
    BillImportService,
    MonthLinesService,
    PeriodOverview,
    PeriodService,
    ReconcileService,
    VerdictRepository,
  ],
  exports: [
    BillingPeriodRepository,
    BillRepository,
    MonthLinesService,
    BillImportService,
    PeriodOverview,
    PeriodService,
    ReconcileService,
  ],
})
export class BillingPeriodsModule {}
