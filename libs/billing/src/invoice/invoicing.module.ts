import { AuditModule } from '@libs/audit';
import { PlansModule } from '@libs/plans';
import { Module, type DynamicModule } from '@nestjs/common';
import { InvoiceCorrections } from './invoice-correction.service';
import { InvoiceDraftRepository } from './invoice-draft.repository';
import { InvoiceEventRepository } from './invoice-event.repository';
import { InvoiceFactsRepository } from './invoice-facts.repository';
import { InvoiceFactsService } from './invoice-facts.service';
import { InvoiceHandover } from './invoice-handover.service';
import { InvoiceRecords } from './invoice-records.service';
import { InvoiceRegister } from './invoice-register.service';
import { InvoiceRepository } from './invoice.repository';
import { InvoiceService } from './invoice.service';
import { INVOICING_OPTIONS, type InvoicingOptions } from './invoicing-options';
import { NoPaymentProvider, PaymentHandover } from './payment-handover';

/** Invoices; needs the outbox of the process. Apart from the rest of billing, which needs no queue. */
@Module({})
export class InvoicingModule {
  /** @param payments who collects money; nobody unless said */
  static forRoot(options: InvoicingOptions, payments: PaymentHandover = new NoPaymentProvider()): DynamicModule {
    return {
      module: InvoicingModule,
      imports: [AuditModule, PlansModule],
      providers: [
        { provide: INVOICING_OPTIONS, useValue: options },
        { provide: PaymentHandover, useValue: payments },
        InvoiceFactsRepository,
        InvoiceFactsService,
        InvoiceDraftRepository,
        InvoiceRepository,
        InvoiceEventRepository,
        InvoiceService,
        InvoiceRecords,
        InvoiceRegister,
        InvoiceCorrections,
        InvoiceHandover,
      ],
      exports: [InvoiceService, InvoiceRecords, InvoiceRegister, InvoiceCorrections, InvoiceHandover],
    };
  }
}
