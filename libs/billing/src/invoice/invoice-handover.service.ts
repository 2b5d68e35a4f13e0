import { UnitOfWork } from '@libs/database';
import { EngineClock, notFound, toPublicId, type InvoiceId, type TenantId } from '@libs/kernel';
import { Outbox } from '@libs/queueing';
import { Injectable } from '@nestjs/common';
import { InvoiceEventRepository } from './invoice-event.repository';
import { handOverInvoiceEvent } from './invoice.jobs';
import { InvoiceRepository } from './invoice.repository';
import { PaymentHandover, type InvoiceEvent } from './payment-handover';

const GIVEN_UP_MS = 12 * 3_600_000;

/** Hands invoice events to whoever collects money, and writes down that it did. */
@Injectable()
export class InvoiceHandover {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly invoices: InvoiceRepository,
    private readonly events: InvoiceEventRepository,
    private readonly payments: PaymentHandover,
    private readonly outbox: Outbox,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Delivers the event unless it is written down already. Written down after it was delivered: a crash in between delivers it
   * again, with the same key.
   * @throws DomainError NOT_FOUND (invoiceId); whatever the provider throws
   */
  async handOver(tenant: TenantId, id: InvoiceId, type: InvoiceEvent['type']): Promise<void> {
    const idempotencyKey = `${type}:${toPublicId('invoice', id)}`;
    const invoice = await this.uow.forSystem(async () =>
      (await this.events.isHandedOver(tenant, idempotencyKey)) ? 'done' : this.invoices.find(tenant, id),
    );
    if (invoice === 'done') return;
    if (!invoice) throw notFound('The invoice', ['invoiceId']);
    const event: InvoiceEvent = {
      idempotencyKey,
      type,
      tenantId: tenant,
      invoiceId: id,
      number: invoice.number,
      corrects: invoice.corrects,
      currency: 'USD',
      totalCents: invoice.totalCents,
      issuedAt: invoice.issuedAt,
      dueAt: invoice.dueAt,
      bodyHash: invoice.bodyHash,
    };
    await this.payments.deliver(event);
    await this.uow.forSystem(() => this.events.record(event, this.clock.now()));
  }

  /** Enqueues again what no try has handed over within half a day: longer than a job is tried. Answers how many. */
  remind(): Promise<bigint> {
    return this.uow.forSystem(async () => {
      const missing = await this.events.missing(new Date(this.clock.now().getTime() - GIVEN_UP_MS));
      await this.outbox.addAll(handOverInvoiceEvent, missing);
      return BigInt(missing.length);
    });
  }
}
