import { Module } from '@nestjs/common';
import { BillingModule } from '../billing.module';
import { InvoiceDraftRepository } from '../invoice/invoice-draft.repository';
import { InvoiceRecords } from '../invoice/invoice-records.service';
import { InvoiceRepository } from '../invoice/invoice.repository';
import { NightlyVerify } from './nightly-verify.service';
import { VerdictRepository } from './verdict.repository';
import { VerifyRepository } from './verify.repository';
import { VerifyService } from './verify.service';

/** The judge of the books. Needs no queue: it can run anywhere a database is. */
@Module({
  providers: [VerifyRepository, VerifyService, InvoiceRecords, InvoiceRepository, InvoiceDraftRepository],
  exports: [VerifyService],
})
export class VerifyModule {}

/** The same once a night, for the worker. */
@Module({
  imports: [BillingModule, VerifyModule],
  providers: [VerdictRepository, NightlyVerify],
  exports: [NightlyVerify],
})
export class NightlyVerifyModule {}
