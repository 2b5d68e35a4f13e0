import fc from 'fast-check';
import { changedInvoice, sampleCreditNote, sampleInvoice } from '../testing/sample-invoices';
import { invoiceInput, type InvoiceInput } from './invoice-input.policy';
import { CURRENT_VERSION, makeInvoice } from './invoice-versions.policy';

const amounts = (input: typeof sampleInvoice) =>
  makeInvoice(input).body.lines.map((line) => [line.no, line.sku, line.amountMicro]);

describe('an invoice made from its input', () => {
  it('has a line for each charge, and for what is carried and rounded; they add up to whole cents', () => {
    expect(amounts(sampleInvoice)).toEqual([
      ['1', 'plan.base_fee', '99000000'],
      ['2', 'plan.included_recipients', '0'],
      ['3', 'plan.recipients', '400000000'],
      ['4', 'plan.recipients', '108004250'],
      ['5', 'plan.dedicated_ip', '97500000'],
      ['6', 'invoice.carried', '3100'],
      ['7', 'invoice.rounding', '2650'],
    ]);
    const { body } = makeInvoice(sampleInvoice);
    expect(body).toMatchObject({ totalMicro: '704504250', totalCents: '70451' });
  });

  it('gives back, line by line below zero, when it is a credit note', () => {
    expect(amounts(sampleCreditNote)).toEqual([
      ['1', 'invoice.credit', '-12345678'],
      ['2', 'invoice.rounding', '-4322'],
    ]);
    expect(makeInvoice(sampleCreditNote).body).toMatchObject({
      totalCents: '-1235',
      corrects: { number: 'INV-2026-000042' },
    });
  });

  it('rounds half a cent to the even one', () => {
    const fee = (baseFeeMicro: string) =>
      makeInvoice({
        ...sampleInvoice,
        carriedInMicro: '0',
        segments: [{ ...sampleInvoice.segments[0]!, recipients: '0', ipMs: '0', baseFeeMicro }],
      }).body.totalCents;
    expect(['5000', '15000', '25000', '5001', '4999'].map(fee)).toEqual(['0', '2', '2', '1', '0']);
  });

  it('survives being stored: its keys in another order give the same hashes', () => {
    const stored = invoiceInput.parse(
      JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(sampleInvoice).reverse()))),
    );
    expect(makeInvoice(stored)).toMatchObject({
      inputHash: makeInvoice(sampleInvoice).inputHash,
      bodyHash: makeInvoice(sampleInvoice).bodyHash,
    });
  });

  const amount = (most: bigint) => fc.bigInt({ min: 0n, max: most }).map(String);
  const anyInvoice = fc
    .record({
      recipients: amount(10n ** 9n),
      ipMs: amount(10n ** 11n),
      baseFeeMicro: amount(10n ** 10n),
      includedRecipients: amount(10n ** 6n),
      minimumMicro: amount(10n ** 10n),
      price: amount(10n ** 6n),
      name: fc.string({ minLength: 1, maxLength: 40 }),
    })
    .map(({ price, name, ...terms }): InvoiceInput => ({
      ...sampleInvoice,
      buyer: { ...sampleInvoice.buyer, name },
      carriedInMicro: '0',
      segments: [
        { ...sampleInvoice.segments[0]!, ...terms, overage: [{ from: '0', amountMicro: price, perUnits: '1000' }] },
      ],
    }));

  it('is the same whenever it is made again from what is stored, and another one from any other input', () => {
    fc.assert(
      fc.property(anyInvoice, (input) => {
        const issued = makeInvoice(input);
        const stored = invoiceInput.parse(
          JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(input).reverse()))),
        );
        expect(makeInvoice(stored)).toEqual({ ...issued, input: stored });
        const [segment] = input.segments;
        const other = { ...input, segments: [{ ...segment!, recipients: String(BigInt(segment!.recipients) + 1n) }] };
        expect(makeInvoice(other).inputHash).not.toBe(issued.inputHash);
      }),
    );
  });

  it('has lines that add up to what is asked; over invoices and credit notes that is the exact charges within half a cent', () => {
    const credit = fc.bigInt({ min: 1n, max: 10n ** 9n }).map((micro): InvoiceInput => ({
      ...sampleCreditNote,
      credit: {
        ...sampleCreditNote.credit!,
        lines: [{ description: 'x', amountMicro: micro.toString(), lineNo: null }],
      },
    }));
    fc.assert(
      fc.property(fc.array(fc.oneof(anyInvoice, credit), { maxLength: 8 }), (documents) => {
        let [exact, asked] = [0n, 0n];
        for (const input of documents) {
          // What is left over so far is carried into an invoice, and not into a credit note.
          const carriedInMicro = input.kind === 'INVOICE' ? (exact - asked).toString() : '0';
          const { body } = makeInvoice({ ...input, carriedInMicro });
          const cents = BigInt(body.totalCents) * 10_000n;
          expect(body.lines.reduce((sum, line) => sum + BigInt(line.amountMicro), 0n)).toBe(cents);
          exact += BigInt(body.totalMicro);
          asked += cents;
          const off = exact - asked;
          if (input.kind === 'INVOICE') expect(off <= 5_000n && off >= -5_000n).toBe(true);
        }
      }),
    );
  });

  /**
   * Hashes of invoices as version 1 issued them. They never change: when one does, the version was changed in place. Keep it
   * and add another beside it.
   */
  it.each([
    ['an invoice', sampleInvoice, '4b5ece27c1d285ca25ee6b56690066a02d27002b9e400b6f92cdd776f9871109'],
    ['a change of plans', changedInvoice, 'fde20683880007d586562429acb8c185a80a0142835953a4c5227ab6e27aa008'],
    ['a credit note', sampleCreditNote, 'b1c047a1f037ae5f2bb60156b57aa9181bcc3ea5f5c1e7c41019f2c12ad46e09'],
  ])('of version 1 is for ever the same: %s', (_, input, bodyHash) => {
    expect(makeInvoice(input, 1n).bodyHash).toBe(bodyHash);
  });

  it('is made in the newest way unless said otherwise, and in no way that never was', () => {
    expect(CURRENT_VERSION).toBe(1n);
    expect(() => makeInvoice(sampleInvoice, 0n)).toThrow(RangeError);
  });
});
