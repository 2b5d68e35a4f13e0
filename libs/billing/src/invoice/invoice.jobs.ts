import { defineJob } from '@libs/queueing';
import { z } from 'zod';

const INVOICE_EVENTS = ['invoice.finalised', 'invoice.voided', 'credit_note.issued'] as const;

/** Tells whoever collects money what happened to an invoice. */
export const handOverInvoiceEvent = defineJob({
  name: 'billing.hand-over-invoice-event',
  queue: 'control',
  payload: z.object({ tenantId: z.uuid(), invoiceId: z.uuid(), type: z.enum(INVOICE_EVENTS) }),
  id: ({ invoiceId, type }) => `${type}:${invoiceId}`,
  attempts: 12,
  backoffMs: 5_000,
});
