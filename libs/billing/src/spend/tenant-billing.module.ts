import { AuditModule } from '@libs/audit';
import { PlansModule } from '@libs/plans';
import { StreamHoldModule } from '@libs/sending';
import { Module } from '@nestjs/common';
import { InvoiceDraftRepository } from '../invoice/invoice-draft.repository';
import { InvoiceFactsRepository } from '../invoice/invoice-facts.repository';
import { InvoiceRecords } from '../invoice/invoice-records.service';
import { InvoiceRepository } from '../invoice/invoice.repository';
import { BillingProfileRepository } from '../profile/billing-profile.repository';
import { BillingProfiles } from '../profile/billing-profile.service';
import { LiveUsageRepository } from './live-usage.repository';
import { MonthSoFarService } from './month-so-far.service';
import { SpendGuard } from './spend-guard.service';
import { SpendRepository } from './spend.repository';
import { TenantBilling } from './tenant-billing.service';
import { WatchedUsageRepository } from './watched-usage.repository';

/** What tenants ask of billing, and the guard of their spending. Issues nothing, so it needs no seller and no outbox. */
@Module({
  imports: [AuditModule, PlansModule, StreamHoldModule],
  providers: [
    InvoiceDraftRepository,
    InvoiceFactsRepository,
    InvoiceRepository,
    InvoiceRecords,
    BillingProfileRepository,
    BillingProfiles,
    LiveUsageRepository,
    MonthSoFarService,
    SpendRepository,
    SpendGuard,
    TenantBilling,
    WatchedUsageRepository,
  ],
  exports: [InvoiceRecords, BillingProfiles, SpendGuard, TenantBilling],
})
export class TenantBillingModule {}
