import type { Issue } from '@libs/kernel';
import type { InvoiceInput } from './invoice-input.policy';
import type { StoredInvoice } from './invoice.repository';

/** What is given back, and of which line. */
export interface CreditLine {
  readonly description: string;
  /** Micro-dollars, above zero. */
  readonly amountMicro: bigint;
  /** The line of the invoice it corrects; null = the invoice as a whole. */
  readonly lineNo: bigint | null;
}

export interface NewCreditNote {
  readonly reason: string;
  readonly lines: readonly CreditLine[];
}

const MAX_LINES = 100;

/**
 * Everything that is wrong with it, field by field; empty when it may be issued.
 * @param creditableMicro what of the invoice's charges no earlier note has given back
 */
export function creditIssues(note: NewCreditNote, invoice: StoredInvoice, creditableMicro: bigint): Issue[] {
  const issues: Issue[] = reasonIssues(note.reason);
  const refuse = (message: string, ...path: string[]) => issues.push({ code: 'INVALID_INPUT', message, path });
  if (invoice.kind !== 'INVOICE') refuse('Expected an invoice: a credit note is not credited.', 'invoiceId');
  if (note.lines.length === 0 || note.lines.length > MAX_LINES) refuse(`Expected 1 to ${MAX_LINES} lines.`, 'lines');
  note.lines.forEach((line, index) => {
    const at = ['lines', String(index)];
    if (!isText(line.description)) refuse('Expected 1 to 500 printable characters.', ...at, 'description');
    if (line.amountMicro <= 0n) refuse('Expected an amount above 0.', ...at, 'amount');
    if (line.lineNo !== null && line.lineNo < 1n) refuse('Expected the number of a line.', ...at, 'line');
  });
  const asked = note.lines.reduce((sum, line) => sum + line.amountMicro, 0n);
  if (asked > creditableMicro) {
    refuse(`Expected at most ${creditableMicro} micro-dollars: no more of the invoice is left.`, 'lines');
  }
  return issues;
}

export function reasonIssues(reason: string): Issue[] {
  return isText(reason)
    ? []
    : [{ code: 'INVALID_INPUT', message: 'Expected 1 to 500 printable characters.', path: ['reason'] }];
}

/** The input of a credit note to an invoice; what rounding leaves over goes to the next invoice. */
export function creditInput(note: NewCreditNote, invoice: StoredInvoice, period: string): InvoiceInput {
  return {
    kind: 'CREDIT_NOTE',
    period,
    currency: 'USD',
    tenant: invoice.tenantId,
    buyer: invoice.input.buyer,
    segments: [],
    credit: {
      corrects: {
        id: invoice.id,
        number: invoice.number,
        issuedAt: invoice.issuedAt.toISOString(),
        period: invoice.period,
      },
      reason: note.reason,
      lines: note.lines.map((line) => ({
        description: line.description,
        amountMicro: line.amountMicro.toString(),
        lineNo: line.lineNo?.toString() ?? null,
      })),
    },
    carriedInMicro: '0',
    issue: null,
  };
}

function isText(text: string): boolean {
  return text.trim() !== '' && text.length <= 500 && !/\p{Cc}/u.test(text);
}
