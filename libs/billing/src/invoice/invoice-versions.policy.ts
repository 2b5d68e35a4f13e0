import { hashOf } from './canonical-json.policy';
import { invoiceBodyV1, type InvoiceBody } from './invoice-body.v1.policy';
import type { InvoiceInput } from './invoice-input.policy';

/** Every way invoices were ever made; the way of an invoice is stored with it. None is changed or taken away. */
const VERSIONS = new Map([[1n, invoiceBodyV1]]);

/** The way new invoices are made. */
export const CURRENT_VERSION = 1n;

/** An invoice as it is made from its input, with the hashes of both. */
export interface MadeInvoice {
  readonly input: InvoiceInput;
  readonly inputHash: string;
  readonly body: InvoiceBody;
  readonly bodyHash: string;
}

/** @throws RangeError for a version that never was */
export function makeInvoice(input: InvoiceInput, version = CURRENT_VERSION): MadeInvoice {
  const bodyOf = VERSIONS.get(version);
  if (!bodyOf) throw new RangeError(`there is no version ${version} of invoices`);
  const body = bodyOf(input);
  return { input, inputHash: hashOf(input), body, bodyHash: hashOf(body) };
}
