import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  EngineClock,
  newId,
  notFound,
  toPublicId,
  type InvoiceId,
  type TenantId,
  isUuid,
} from '@libs/kernel';
import { Outbox } from '@libs/queueing';
import { Inject, Injectable } from '@nestjs/common';
import { creditInput, creditIssues, reasonIssues, type NewCreditNote } from './credit-note.policy';
import { issuedInput, numberOf, seriesOf } from './invoice-draft.policy';
import { CURRENT_VERSION, makeInvoice } from './invoice-versions.policy';
import { handOverInvoiceEvent } from './invoice.jobs';
import { InvoiceRepository, type StoredInvoice } from './invoice.repository';
import { INVOICING_OPTIONS, type InvoicingOptions } from './invoicing-options';

/** What may still happen to an issued invoice: it is voided, or a credit note is added to it. For operators. */
@Injectable()
export class InvoiceCorrections {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly invoices: InvoiceRepository,
    private readonly outbox: Outbox,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
    @Inject(INVOICING_OPTIONS) private readonly options: InvoicingOptions,
  ) {}

  /**
   * Takes an invoice or a credit note back. Its number stays taken; the month's invoice may be drafted and issued anew.
   * @throws DomainError INVALID_INPUT (reason), NOT_FOUND (invoiceId), CONFLICT (it is void already, or has credit notes)
   */
  void(tenant: TenantId, id: InvoiceId, reason: string, by: Author): Promise<void> {
    return this.uow.forSystem(async () => {
      DomainError.throwIfAny(reasonIssues(reason));
      const invoice = await this.lock(tenant, id);
      const notes = await this.invoices.notesOf(tenant, id);
      if (notes.some((note) => note.state === 'FINAL')) {
        throw conflict('It has credit notes: void them first.');
      }
      await this.invoices.void(tenant, id, this.clock.now(), reason);
      const detail = { number: invoice.number, reason };
      await this.audit.record({ ...by, action: 'invoice.void', subject: toPublicId('invoice', id), tenant, detail });
      await this.outbox.add(handOverInvoiceEvent, { tenantId: tenant, invoiceId: id, type: 'invoice.voided' });
    });
  }

  /**
   * Gives back a part of an invoice, or all of it. Its period is the month it is issued in; the invoice stays as it is.
   * @throws DomainError INVALID_INPUT (every wrong field at once; more than is left), NOT_FOUND (invoiceId), CONFLICT (void)
   */
  creditNote(tenant: TenantId, id: InvoiceId, note: NewCreditNote, by: Author): Promise<InvoiceId> {
    return this.uow.forSystem(async () => {
      const invoice = await this.lock(tenant, id);
      DomainError.throwIfAny(creditIssues(note, invoice, await this.creditable(invoice)));
      const at = this.clock.now();
      const series = seriesOf('CREDIT_NOTE', at);
      const number = numberOf(series, await this.invoices.takeNumbers(series, 1n));
      const auditHead = (await this.audit.heads([tenant])).get(tenant) ?? null;
      const input = issuedInput(creditInput(note, invoice, at.toISOString().slice(0, 7)), {
        number,
        at,
        dueAt: at,
        seller: this.options.seller,
        auditHead,
      });
      const noteId = newId<InvoiceId>();
      await this.invoices.insert([{ ...makeInvoice(input), id: noteId, version: CURRENT_VERSION }]);
      const detail = { number, corrects: invoice.number, reason: note.reason };
      const subject = toPublicId('invoice', noteId);
      await this.audit.record({ ...by, action: 'invoice.credit', subject, tenant, detail });
      await this.outbox.add(handOverInvoiceEvent, { tenantId: tenant, invoiceId: noteId, type: 'credit_note.issued' });
      return noteId;
    });
  }

  private async lock(tenant: TenantId, id: InvoiceId): Promise<StoredInvoice> {
    const invoice = isUuid(id) ? await this.invoices.lock(tenant, id) : undefined;
    if (!invoice) throw notFound('The invoice', ['invoiceId']);
    if (invoice.state === 'VOID') throw conflict('It is void already.');
    return invoice;
  }

  /** The charges of an invoice less what its credit notes gave back. */
  private async creditable(invoice: StoredInvoice): Promise<bigint> {
    const charges = BigInt(makeInvoice(invoice.input, invoice.renderVersion).body.totalMicro);
    const notes = await this.invoices.notesOf(invoice.tenantId, invoice.id);
    return notes
      .filter((note) => note.state === 'FINAL')
      .reduce((left, note) => left + BigInt(makeInvoice(note.input, note.renderVersion).body.totalMicro), charges);
  }
}

function conflict(message: string): DomainError {
  return new DomainError({ code: 'CONFLICT', message, path: ['invoiceId'] });
}
