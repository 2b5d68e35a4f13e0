import { formatUsd, toPublicId } from '@libs/kernel';
import type { InvoiceRecord } from '../invoice/invoice-records.service';
import { csvRow, plainCell, textCell } from '../render/csv.policy';
import type { PlanAdvice, WhatIfReport } from './billing-advice.service';
import type { IdleReport, MarginReport, ReportHead, WaterfallReport } from './billing-reports.service';
import type { MarginLine, MarginRow } from './margin.policy';
import type { WaterfallStep } from './waterfall.policy';

/*
 * Reports as CSV: one row a line, amounts in US dollars, exact, so that a column adds up to the report's total.
 */

type Columns<Subject> = readonly (readonly [name: string, cell: (subject: Subject) => string])[];

function table<Subject>(columns: Columns<Subject>, subjects: readonly Subject[]): string {
  return headOf(columns) + subjects.map((subject) => rowOf(columns, subject)).join('');
}

function headOf<Subject>(columns: Columns<Subject>): string {
  return csvRow(columns.map(([name]) => name));
}

function rowOf<Subject>(columns: Columns<Subject>, subject: Subject): string {
  return csvRow(columns.map(([, cell]) => cell(subject)));
}

/** `ten_...` of a tenant and `sac_...` of an account; other rows go by their name. */
export function publicKeyOf({ kind, key }: Pick<MarginRow, 'kind' | 'key'>): string | null {
  if (key === null) return null;
  if (kind === 'TENANT') return toPublicId('tenant', key);
  return kind === 'ACCOUNT' ? toPublicId('sendingAccount', key) : key;
}

interface MarginCell {
  readonly report: ReportHead;
  readonly row: MarginRow & { readonly name: string };
  readonly line: MarginLine;
}

const MARGIN: Columns<MarginCell> = [
  ['period', ({ report }) => plainCell(report.period)],
  ['state', ({ report }) => plainCell(report.state)],
  ['as_of', ({ report }) => plainCell(report.asOf.toISOString())],
  ['kind', ({ row }) => plainCell(row.kind)],
  ['id', ({ row }) => plainCell(publicKeyOf(row) ?? '')],
  ['name', ({ row }) => textCell(row.name)],
  ['line', ({ line }) => plainCell(line.topic)],
  ['price_usd', ({ line }) => plainCell(formatUsd(line.priceMicro))],
  ['cost_usd', ({ line }) => plainCell(formatUsd(line.costMicro))],
  ['margin_usd', ({ line }) => plainCell(formatUsd(line.priceMicro - line.costMicro))],
  ['skus', ({ line }) => plainCell(line.skus.join(' '))],
  ['rates', ({ line }) => plainCell(line.rateIds.join(' '))],
  ['plan_prices', ({ line }) => plainCell(line.planPriceIds.join(' '))],
  ['methods', ({ line }) => plainCell(line.methods.join(' '))],
];

export function marginCsv(report: MarginReport): string {
  return table(
    MARGIN,
    report.rows.flatMap((row) => row.lines.map((line) => ({ report, row, line }))),
  );
}

const WATERFALL: Columns<{ readonly report: ReportHead; readonly step: WaterfallStep }> = [
  ['period', ({ report }) => plainCell(report.period)],
  ['state', ({ report }) => plainCell(report.state)],
  ['as_of', ({ report }) => plainCell(report.asOf.toISOString())],
  ['kind', ({ step }) => plainCell(step.kind)],
  ['line', ({ step }) => plainCell(step.topic ?? '')],
  ['reason', ({ step }) => plainCell(step.reason ?? '')],
  ['amount_usd', ({ step }) => plainCell(formatUsd(step.amountMicro))],
  ['after_usd', ({ step }) => plainCell(formatUsd(step.afterMicro))],
];

export function waterfallCsv(report: WaterfallReport): string {
  return table(
    WATERFALL,
    report.steps.map((step) => ({ report, step })),
  );
}

const IDLE: Columns<{ readonly report: ReportHead; readonly row: IdleReport['rows'][number] }> = [
  ['period', ({ report }) => plainCell(report.period)],
  ['state', ({ report }) => plainCell(report.state)],
  ['as_of', ({ report }) => plainCell(report.asOf.toISOString())],
  ['account', ({ row }) => plainCell(row.account ?? '')],
  ['pool', ({ row }) => textCell(row.pool ?? '')],
  ['line', ({ row }) => plainCell(row.topic)],
  ['idle_usd', ({ row }) => plainCell(formatUsd(row.idleMicro))],
  ['whole_usd', ({ row }) => plainCell(formatUsd(row.wholeMicro))],
  ['idle_permille', ({ row }) => plainCell(row.idlePermille?.toString() ?? '')],
  ['hint', ({ row }) => plainCell(row.hint)],
];

export function idleCsv(report: IdleReport): string {
  return table(
    IDLE,
    report.rows.map((row) => ({ report, row })),
  );
}

type Advised = PlanAdvice['accounts'][number];

/** A row an account and plan. */
const PLAN_ADVICE: Columns<{
  readonly period: string;
  readonly of: Advised;
  readonly option: Advised['options'][number];
}> = [
  ['period', ({ period }) => plainCell(period)],
  ['account', ({ of }) => plainCell(of.account)],
  ['recipients', ({ of }) => plainCell(of.recipients.toString())],
  ['plan', ({ option }) => plainCell(option.plan)],
  ['is_current', ({ of, option }) => plainCell(String(option.plan === of.current))],
  ['is_best', ({ of, option }) => plainCell(String(option.plan === of.best))],
  ['cost_usd', ({ option }) => plainCell(formatUsd(option.costMicro))],
  [
    'cost_on_managed_ips_usd',
    ({ option }) => plainCell(option.onManagedIpsMicro === null ? '' : formatUsd(option.onManagedIpsMicro)),
  ],
  // Once an account, so that the column adds up.
  ['saving_usd', ({ of, option }) => plainCell(formatUsd(option.plan === of.best ? of.savingMicro : 0n))],
];

export function planAdviceCsv({ period, accounts }: PlanAdvice): string {
  return table(
    PLAN_ADVICE,
    accounts.flatMap((of) => of.options.map((option) => ({ period, of, option }))),
  );
}

const WHAT_IF: Columns<{ readonly report: ReportHead; readonly row: WhatIfReport['rows'][number] }> = [
  ['period', ({ report }) => plainCell(report.period)],
  ['state', ({ report }) => plainCell(report.state)],
  ['tenant', ({ row }) => plainCell(toPublicId('tenant', row.tenantId))],
  ['name', ({ row }) => textCell(row.name)],
  ['before_usd', ({ row }) => plainCell(formatUsd(row.beforeMicro))],
  ['after_usd', ({ row }) => plainCell(formatUsd(row.afterMicro))],
  ['cost_usd', ({ row }) => plainCell(formatUsd(row.costMicro))],
  ['margin_after_usd', ({ row }) => plainCell(formatUsd(row.afterMicro - row.costMicro))],
];

export function whatIfCsv(report: WhatIfReport): string {
  return table(
    WHAT_IF,
    report.rows.map((row) => ({ report, row })),
  );
}

const INVOICES: Columns<InvoiceRecord> = [
  ['number', ({ number }) => plainCell(number)],
  ['id', ({ id }) => plainCell(toPublicId('invoice', id))],
  ['kind', ({ kind }) => plainCell(kind)],
  ['state', ({ state }) => plainCell(state)],
  ['period', ({ period }) => plainCell(period)],
  ['tenant', ({ tenantId }) => plainCell(toPublicId('tenant', tenantId))],
  ['buyer', ({ body }) => textCell(body.buyer.name)],
  ['issued_at', ({ issuedAt }) => plainCell(issuedAt.toISOString())],
  ['due_at', ({ dueAt }) => plainCell(dueAt.toISOString())],
  ['total_usd', ({ totalCents }) => plainCell(formatUsd(totalCents * 10_000n))],
  ['corrects', ({ body }) => plainCell(body.corrects?.number ?? '')],
  ['voided_at', ({ voidedAt }) => plainCell(voidedAt?.toISOString() ?? '')],
  ['void_reason', ({ voidReason }) => textCell(voidReason ?? '')],
  ['body_hash', ({ bodyHash }) => plainCell(bodyHash)],
];

export const INVOICES_HEAD = headOf(INVOICES);

/** Rows without the head. */
export function invoiceRows(invoices: readonly InvoiceRecord[]): string {
  return invoices.map((invoice) => rowOf(INVOICES, invoice)).join('');
}
