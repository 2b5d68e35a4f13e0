import type { InvoiceInput } from '../invoice/invoice-input.policy';

const segment = {
  planId: '01930000-0000-7000-8000-0000000000aa',
  planName: 'Growth',
  priceId: '12',
  from: '2026-11-01T00:00:00.000Z',
  to: '2026-12-01T00:00:00.000Z',
  baseFeeMicro: '99000000',
  includedRecipients: '100000',
  overage: [
    { from: '0', amountMicro: '400000', perUnits: '1000' },
    { from: '1000000', amountMicro: '250000', perUnits: '1000' },
  ],
  dedicatedIpFeeMicro: '39000000',
  minimumMicro: '0',
  recipients: '1532017',
  ipMs: '6480000000',
} as const satisfies InvoiceInput['segments'][number];

/** Of every kind of line but the minimum. */
export const sampleInvoice: InvoiceInput = {
  kind: 'INVOICE',
  period: '2026-11',
  currency: 'USD',
  tenant: '01930000-0000-7000-8000-000000000001',
  buyer: {
    name: 'Northwind Bank',
    address: ['Attn: Accounts Payable', '500 Main Street', 'Seattle, WA 98101'],
    taxId: 'US 91-1234567',
    email: 'ap@northwind.example',
  },
  segments: [{ ...segment, overage: [...segment.overage] }],
  credit: null,
  carriedInMicro: '3100',
  issue: {
    number: 'INV-2026-000042',
    issuedAt: '2026-12-02T08:00:00.000Z',
    dueAt: '2026-12-16T08:00:00.000Z',
    seller: {
      name: 'Postfleet Operations Ltd',
      address: ['1 Harbour Street', 'Dublin D01 X2P3'],
      taxId: 'IE 1234567 T',
      email: null,
      note: 'Please pay by bank transfer, naming the number of this invoice.',
    },
    auditHead: 'ab'.repeat(32),
  },
};

/** Two plans, with a change within a day, and a minimum. */
export const changedInvoice: InvoiceInput = {
  ...sampleInvoice,
  segments: [
    { ...segment, overage: [...segment.overage], to: '2026-11-10T12:30:00.000Z', recipients: '40000' },
    {
      ...segment,
      overage: [],
      planId: '01930000-0000-7000-8000-0000000000bb',
      planName: 'Premium',
      priceId: '13',
      from: '2026-11-10T12:30:00.000Z',
      minimumMicro: '900000000',
      ipMs: '0',
    },
  ],
};

export const sampleCreditNote: InvoiceInput = {
  ...sampleInvoice,
  kind: 'CREDIT_NOTE',
  period: '2026-12',
  segments: [],
  carriedInMicro: '0',
  credit: {
    corrects: {
      id: '01930000-0000-7000-8000-0000000000cc',
      number: 'INV-2026-000042',
      issuedAt: '2026-12-02T08:00:00.000Z',
      period: '2026-11',
    },
    reason: 'Mail of 14 November was delayed by more than an hour.',
    lines: [{ description: 'Growth: recipients, half of the price', amountMicro: '12345678', lineNo: '3' }],
  },
};
