import { formatUsd, toPublicId } from '@libs/kernel';
import type { InvoiceBody, InvoiceLine } from '../invoice/invoice-body.v1.policy';
import { csvRow, plainCell, textCell } from './csv.policy';

/*
 * Invoices as rows of FOCUS 1.2 (the FinOps open cost and usage specification): one row a line, from the tenant's side, so
 * that a tenant's BilledCost adds up to what it is asked for.
 */

type Cell = (body: InvoiceBody, line: InvoiceLine) => string;

/** FOCUS: ChargeCategory and ChargeFrequency. */
function categoryOf({ sku }: InvoiceLine): readonly [category: string, frequency: string] {
  if (sku === 'plan.recipients' || sku === 'plan.included_recipients') return ['Usage', 'Usage-Based'];
  if (sku === 'invoice.credit') return ['Credit', 'One-Time'];
  if (sku === 'invoice.carried' || sku === 'invoice.rounding') return ['Adjustment', 'One-Time'];
  return ['Purchase', 'Recurring'];
}

const amount: Cell = (_, line) => formatUsd(BigInt(line.amountMicro));
const tenant: Cell = (body) => toPublicId('tenant', body.tenant);
const consumed =
  (value: Cell): Cell =>
  (body, line) =>
    categoryOf(line)[0] === 'Usage' ? value(body, line) : '';
const priced =
  (value: Cell): Cell =>
  (body, line) =>
    line.rate ? value(body, line) : '';

const COLUMNS: readonly (readonly [name: string, cell: Cell])[] = [
  ['AllocatedMethodId', (_, line) => line.cites.method],
  ['BilledCost', amount],
  ['BillingAccountId', tenant],
  ['BillingAccountName', (body) => body.buyer.name],
  ['BillingCurrency', (body) => body.currency],
  ['BillingPeriodStart', (body) => body.period.from],
  ['BillingPeriodEnd', (body) => body.period.to],
  ['ChargeCategory', (_, line) => categoryOf(line)[0]],
  ['ChargeClass', (body) => (body.kind === 'CREDIT_NOTE' ? 'Correction' : '')],
  ['ChargeDescription', (_, line) => line.description],
  ['ChargeFrequency', (_, line) => categoryOf(line)[1]],
  ['ChargePeriodStart', (_, line) => line.from],
  ['ChargePeriodEnd', (_, line) => line.to],
  ['ConsumedQuantity', consumed((_, line) => line.quantity)],
  ['ConsumedUnit', consumed((_, line) => line.unit)],
  ['ContractedCost', amount],
  ['EffectiveCost', amount],
  ['InvoiceId', (body) => body.issue?.number ?? ''],
  ['InvoiceIssuerName', (body) => body.issue?.seller.name ?? ''],
  ['ListCost', amount],
  ['PricingQuantity', priced((_, line) => line.quantity)],
  ['PricingUnit', priced((_, line) => line.unit)],
  ['ProviderName', (body) => body.issue?.seller.name ?? ''],
  ['PublisherName', (body) => body.issue?.seller.name ?? ''],
  ['ServiceCategory', () => 'Other'],
  ['ServiceName', () => 'E-mail sending'],
  ['SkuId', (_, line) => line.sku],
  ['SkuPriceId', (_, line) => line.cites.planPrices.join(' ')],
  ['x_tenant', tenant],
];

/** Columns that people wrote: a spreadsheet must not take them for formulas. */
const WRITTEN = ['BillingAccountName', 'ChargeDescription', 'InvoiceIssuerName', 'ProviderName', 'PublisherName'];

export const FOCUS_HEAD = csvRow(COLUMNS.map(([name]) => name));

/** The rows of one invoice, without the head. */
export function focusRows(body: InvoiceBody): string {
  return body.lines
    .map((line) =>
      csvRow(COLUMNS.map(([name, cell]) => (WRITTEN.includes(name) ? textCell : plainCell)(cell(body, line)))),
    )
    .join('');
}
