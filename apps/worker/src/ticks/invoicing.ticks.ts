import { InvoiceHandover } from '@libs/billing';
import { Injectable } from '@nestjs/common';
import { Tick } from './tick.decorator';

@Injectable()
export class InvoicingTicks {
  constructor(private readonly handover: InvoiceHandover) {}

  @Tick({ name: 'invoice-events', everyMs: 3_600_000 })
  remind(): Promise<unknown> {
    return this.handover.remind();
  }
}
