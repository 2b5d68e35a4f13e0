import { handOverInvoiceEvent, InvoiceHandover, type InvoiceEvent } from '@libs/billing';
import type { InvoiceId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { Processes } from '../processing/processes.decorator';

@Injectable()
export class InvoicingProcessor {
  constructor(private readonly handover: InvoiceHandover) {}

  @Processes(handOverInvoiceEvent, { concurrency: 4 })
  handOver(event: { tenantId: string; invoiceId: string; type: InvoiceEvent['type'] }): Promise<void> {
    return this.handover.handOver(event.tenantId as TenantId, event.invoiceId as InvoiceId, event.type);
  }
}
