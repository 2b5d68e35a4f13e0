import { z } from 'zod';

/*
 * Everything an invoice is made of, as it is stored beside it: nothing else goes into it, so that it can be made again years
 * later. Amounts are micro-dollars and counts are whole numbers, both as text; times are ISO 8601 in UTC.
 */

const whole = z.string().regex(/^-?(0|[1-9]\d*)$/);
const moment = z.iso.datetime();

const party = z.strictObject({
  name: z.string(),
  address: z.array(z.string()),
  taxId: z.string().nullable(),
  email: z.string().nullable(),
});

const segment = z.strictObject({
  planId: z.string(),
  planName: z.string(),
  priceId: whole,
  from: moment,
  to: moment,
  baseFeeMicro: whole,
  includedRecipients: whole,
  overage: z.array(z.strictObject({ from: whole, amountMicro: whole, perUnits: whole })),
  dedicatedIpFeeMicro: whole,
  minimumMicro: whole,
  recipients: whole,
  ipMs: whole,
});

const credit = z.strictObject({
  corrects: z.strictObject({ id: z.string(), number: z.string(), issuedAt: moment, period: z.string() }),
  reason: z.string(),
  /** What is given back: above zero. */
  lines: z.array(z.strictObject({ description: z.string(), amountMicro: whole, lineNo: whole.nullable() })),
});

export const invoiceInput = z.strictObject({
  kind: z.enum(['INVOICE', 'CREDIT_NOTE']),
  /** `YYYY-MM`, UTC */
  period: z.string(),
  currency: z.literal('USD'),
  tenant: z.string(),
  buyer: party,
  segments: z.array(segment),
  credit: credit.nullable(),
  /** Micro-dollars that rounding of earlier invoices left over. */
  carriedInMicro: whole,
  /** Null as long as it is a draft. */
  issue: z
    .strictObject({
      number: z.string(),
      issuedAt: moment,
      dueAt: moment,
      seller: party.extend({ note: z.string().nullable() }),
      /** Last hash of the tenant's audit log then; null while it had none. */
      auditHead: z.string().nullable(),
    })
    .nullable(),
});

export type InvoiceInput = z.infer<typeof invoiceInput>;
export type SegmentInput = z.infer<typeof segment>;
export type Party = z.infer<typeof party>;
/** Who sends invoices; `note` stands below the total (how to pay). */
export type Seller = Party & { readonly note: string | null };
