import { Module } from '@nestjs/common';
import { InvoiceDraftRepository } from '../invoice/invoice-draft.repository';
import { InvoiceRecords } from '../invoice/invoice-records.service';
import { InvoiceRepository } from '../invoice/invoice.repository';
import { VerifyRepository } from './verify.repository';
import { VerifyService } from './verify.service';

/** The judge of the books. Needs no queue: it can run anywhere a database is. */
@Module({
  providers: [VerifyRepository, VerifyService, InvoiceRecords, InvoiceRepository, InvoiceDraftRepository],
  exports: [VerifyService],
})
export class VerifyModule {}
