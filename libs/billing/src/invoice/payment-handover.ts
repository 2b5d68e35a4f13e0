import type { InvoiceId, TenantId } from '@libs/kernel';

/** What happened to an invoice, for whoever collects money. */
export interface InvoiceEvent {
  /** The same for the same event, however often it is delivered. */
  readonly idempotencyKey: string;
  readonly type: 'invoice.finalised' | 'invoice.voided' | 'credit_note.issued';
  readonly tenantId: TenantId;
  readonly invoiceId: InvoiceId;
  readonly number: string;
  /** Of the invoice that a credit note corrects. */
  readonly corrects: InvoiceId | null;
  readonly currency: 'USD';
  /** Below zero for a credit note. */
  readonly totalCents: bigint;
  readonly issuedAt: Date;
  readonly dueAt: Date;
  readonly bodyHash: string;
}

/**
 * Where invoice events go: a payment provider implements it and is named where invoicing is set up. An event may be delivered
 * more than once, after a crash; what throws is delivered again later.
 */
export abstract class PaymentHandover {
  abstract deliver(event: InvoiceEvent): Promise<void>;
}

/** No provider is attached: the event stays in the list that operators read. */
export class NoPaymentProvider extends PaymentHandover {
  deliver(): Promise<void> {
    return Promise.resolve();
  }
}
