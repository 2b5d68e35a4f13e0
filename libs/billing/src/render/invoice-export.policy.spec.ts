import { parseUsd } from '@libs/kernel';
import { makeInvoice } from '../invoice/invoice-versions.policy';
import { changedInvoice, sampleCreditNote, sampleInvoice } from '../testing/sample-invoices';
import { textCell } from './csv.policy';
import { EXPORT_FORMATS, exportInvoice, type ExportFormat } from './invoice-export.policy';

const made = makeInvoice(sampleInvoice);
const file = (format: ExportFormat, invoice = made, voidedAt: Date | null = null) =>
  exportInvoice(invoice, voidedAt, format);
const rows = async (format: ExportFormat, invoice = made) => {
  const [head = '', ...lines] = (await file(format, invoice)).content.toString().trimEnd().split('\r\n');
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [];
    return Object.fromEntries(names.map((name, index) => [name, (cells[index] ?? '').replace(/,$/, '')]));
  });
};
const sum = (values: readonly (string | undefined)[]) =>
  values.reduce((total, value) => total + parseUsd(value ?? ''), 0n);

describe('an exported invoice', () => {
  it.each(EXPORT_FORMATS)('is the same bytes every time as %s', async (format) => {
    const first = await file(format);
    expect(first.content.length).toBeGreaterThan(100);
    expect((await file(format)).content.equals(first.content)).toBe(true);
    expect(first.name).toMatch(/^INV-2026-000042\.(pdf|csv|focus\.csv|json)$/);
  });

  it('adds up to its total in CSV and in FOCUS, to the micro-dollar', async () => {
    expect(sum((await rows('CSV')).map((row) => row['amount_usd']))).toBe(704_510_000n);
    for (const column of ['BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost']) {
      expect(sum((await rows('FOCUS')).map((row) => row[column]))).toBe(704_510_000n);
    }
  });

  it('says in FOCUS what each line is, for whom, when, and by which method', async () => {
    const found = await rows('FOCUS');
    expect(found.map((row) => [row['ChargeCategory'], row['ChargeFrequency'], row['ConsumedQuantity']])).toEqual([
      ['Purchase', 'Recurring', ''],
      ['Usage', 'Usage-Based', '100000'],
      ['Usage', 'Usage-Based', '1000000'],
      ['Usage', 'Usage-Based', '432017'],
      ['Purchase', 'Recurring', ''],
      ['Adjustment', 'One-Time', ''],
      ['Adjustment', 'One-Time', ''],
    ]);
    expect(found[3]).toMatchObject({
      AllocatedMethodId: 'overage/marginal@1',
      BillingPeriodStart: '2026-11-01T00:00:00.000Z',
      ChargePeriodEnd: '2026-12-01T00:00:00.000Z',
      ChargeClass: '',
      InvoiceId: 'INV-2026-000042',
      SkuPriceId: '12',
    });
    expect(found[0]?.['x_tenant']).toMatch(/^ten_/);
    expect((await rows('FOCUS', makeInvoice(sampleCreditNote)))[0]).toMatchObject({
      ChargeCategory: 'Credit',
      ChargeClass: 'Correction',
      BilledCost: '-12.345678',
    });
  });

  it('says in JSON everything it says, with its hashes', async () => {
    const json = JSON.parse((await file('JSON')).content.toString()) as Record<string, unknown>;
    expect(json).toEqual({ invoice: made.body, bodyHash: made.bodyHash, inputHash: made.inputHash, voidedAt: null });
  });

  it('is another PDF when it is void, a change of plans, a credit note, a draft, or has names in other scripts', async () => {
    const voidedAt = new Date('2026-12-05T00:00:00Z');
    const foreign = { ...sampleInvoice, buyer: { ...sampleInvoice.buyer, name: 'Łódź Δοκιμή Пример محدودة' } };
    const pdfs = await Promise.all([
      file('PDF'),
      file('PDF', made, voidedAt),
      file('PDF', makeInvoice(changedInvoice)),
      file('PDF', makeInvoice(sampleCreditNote)),
      file('PDF', makeInvoice({ ...sampleInvoice, issue: null })),
      file('PDF', makeInvoice(foreign)),
    ]);
    expect(new Set(pdfs.map((pdf) => pdf.content.toString('latin1'))).size).toBe(pdfs.length);
    for (const pdf of pdfs) expect(pdf.content.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdfs.at(4)?.name).toBe('draft-2026-11.pdf');
  });

  it('goes over as many pages as it needs', async () => {
    const [segment] = sampleInvoice.segments;
    const segments = Array.from({ length: 28 }, (_, index) => ({
      ...segment!,
      planId: String(index % 2),
      priceId: String(index),
      from: new Date(Date.UTC(2026, 10, index + 1)).toISOString(),
      to: new Date(Date.UTC(2026, 10, index + 2)).toISOString(),
    }));
    const pages = (pdf: Buffer) => pdf.toString('latin1').match(/\/Type \/Page\b/g)?.length;
    expect(pages((await file('PDF')).content)).toBe(1);
    expect(pages((await file('PDF', makeInvoice({ ...sampleInvoice, segments }))).content)).toBeGreaterThan(3);
  });

  it.each([
    ['=1+1', "'=1+1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['-2', "'-2"],
    ['a "b", c', '"a ""b"", c"'],
    ['two\nlines', '"two\nlines"'],
    ['Łódź', 'Łódź'],
  ])('writes the text %j so that a spreadsheet reads it as text', (text, cell) => {
    expect(textCell(text)).toBe(cell);
  });
});
