import { formatUsd, toPublicId } from '@libs/kernel';
import type { InvoiceBody, InvoiceLine } from '../invoice/invoice-body.v1.policy';
import { csvRow, plainCell, textCell } from './csv.policy';

type Cell = (body: InvoiceBody, line: InvoiceLine) => string;

const COLUMNS: readonly (readonly [name: string, cell: Cell])[] = [
  ['invoice', (body) => textCell(body.issue?.number ?? 'draft')],
  ['kind', (body) => plainCell(body.kind)],
  ['corrects', (body) => textCell(body.corrects?.number ?? '')],
  ['period', (body) => plainCell(body.period.name)],
  ['issued_at', (body) => plainCell(body.issue?.issuedAt ?? '')],
  ['due_at', (body) => plainCell(body.issue?.dueAt ?? '')],
  ['tenant', (body) => plainCell(toPublicId('tenant', body.tenant))],
  ['buyer', (body) => textCell(body.buyer.name)],
  ['line', (_, line) => plainCell(line.no)],
  ['sku', (_, line) => plainCell(line.sku)],
  ['description', (_, line) => textCell(line.description)],
  ['quantity', (_, line) => plainCell(line.quantity)],
  ['unit', (_, line) => plainCell(line.unit)],
  ['price_usd', (_, line) => plainCell(line.rate ? formatUsd(BigInt(line.rate.amountMicro)) : '')],
  ['price_per_units', (_, line) => plainCell(line.rate?.perUnits ?? '')],
  ['amount_usd', (_, line) => plainCell(formatUsd(BigInt(line.amountMicro)))],
  ['from', (_, line) => plainCell(line.from)],
  ['to', (_, line) => plainCell(line.to)],
  ['method', (_, line) => plainCell(line.cites.method)],
  ['plan_prices', (_, line) => plainCell(line.cites.planPrices.join(' '))],
];

/** Every line of an invoice, exact; its amounts add up to the total. */
export function invoiceCsv(body: InvoiceBody): string {
  const head = csvRow(COLUMNS.map(([name]) => name));
  return head + body.lines.map((line) => csvRow(COLUMNS.map(([, cell]) => cell(body, line)))).join('');
}
