import type { Seller } from './invoice-input.policy';

/** Says in whose name invoices are issued and when they are due. */
export interface InvoicingOptions {
  readonly seller: Seller;
  readonly dueAt: (issuedAt: Date) => Date;
}

export const INVOICING_OPTIONS = Symbol('InvoicingOptions');
