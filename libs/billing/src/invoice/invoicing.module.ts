import { AuditModule } from '@libs/audit';
import { PlansModule } from '@libs/plans';
import { Module, type DynamicModule } from '@nestjs/common';
import { InvoiceDraftRepository } from './invoice-draft.repository';
import { InvoiceFactsRepository } from './invoice-facts.repository';
import { InvoiceFactsService } from './invoice-facts.service';
import { InvoiceRepository } from './invoice.repository';
import { InvoiceService } from './invoice.service';
import { INVOICING_OPTIONS, type InvoicingOptions } from './invoicing-options';

/** Invoices; needs the outbox of the process. Apart from the rest of billing, which needs no queue. */
@Module({})
export class InvoicingModule {
  static forRoot(options: InvoicingOptions): DynamicModule {
    return {
      module: InvoicingModule,
      imports: [AuditModule, PlansModule],
      providers: [
        { provide: INVOICING_OPTIONS, useValue: options },
        InvoiceFactsRepository,
        InvoiceFactsService,
        InvoiceDraftRepository,
        InvoiceRepository,
        InvoiceService,
      ],
      exports: [InvoiceService],
    };
  }
}
