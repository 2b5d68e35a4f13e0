import { BillRefused } from './bill.errors';
import { parseExact, type Exact } from './exact-decimal.policy';

export type BillFormat = 'CUR' | 'FOCUS';

/** What a line of the bill says, whatever the format. Quantities and dollars exactly as written. */
export interface BillRecord {
  readonly payer: string;
  /** `YYYY-MM` */
  readonly period: string;
  readonly awsAccount: string;
  readonly region: string;
  readonly product: string;
  readonly usageType: string;
  readonly lineType: string;
  readonly chargeClass: 'Correction' | null;
  readonly quantity: Exact;
  readonly cost: Exact;
}

/** Names of one format's columns, each with those that may stand in for it. */
interface Columns {
  readonly payer: readonly string[];
  readonly period: readonly string[];
  readonly awsAccount: readonly string[];
  readonly product: readonly string[];
  readonly usageType: readonly string[];
  readonly lineType: readonly string[];
  readonly quantity: readonly string[];
  readonly cost: readonly string[];
  readonly currency: readonly string[];
}

/** CUR 2.0's names; the legacy report writes lineItem/UsageType for line_item_usage_type. */
const CUR: Columns = {
  payer: ['bill_payer_account_id'],
  period: ['bill_billing_period_start_date'],
  awsAccount: ['line_item_usage_account_id'],
  product: ['line_item_product_code'],
  usageType: ['line_item_usage_type'],
  lineType: ['line_item_line_item_type'],
  quantity: ['line_item_usage_amount'],
  cost: ['line_item_unblended_cost'],
  currency: ['line_item_currency_code'],
};
/** FOCUS 1.0 to 1.2; x_ columns are AWS's own. */
const FOCUS: Columns = {
  payer: ['billingaccountid'],
  period: ['billingperiodstart'],
  awsAccount: ['subaccountid'],
  product: ['x_servicecode', 'servicename'],
  usageType: ['x_usagetype', 'x_usage_type', 'skumeter', 'skuid'],
  lineType: ['chargecategory'],
  quantity: ['consumedquantity'],
  cost: ['billedcost'],
  currency: ['billingcurrency'],
};
const REGION = { CUR: ['product_region_code', 'product_region'], FOCUS: ['regionid'] };

const GET_A_REPORT =
  'Give a Cost and Usage Report (legacy or 2.0) or a FOCUS 1.x export of AWS as CSV, plain or gzip, with all standard columns.';
/** Lines that say how much was used; elsewhere (refunds, credits) AWS writes negative amounts on purpose. */
const USAGE_LINES = new Set(['Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage']);

/** Reads the lines of one file by the names in its header. */
export class BillReader {
  readonly format: BillFormat;
  private readonly columns: Record<keyof Columns, { name: string; of: (cells: readonly string[]) => string }>;
  private readonly region: (cells: readonly string[]) => string;
  private readonly chargeClass: (cells: readonly string[]) => string;

  /** @throws BillRefused NOT_A_BILL, MISSING_COLUMNS */
  constructor(private readonly header: readonly string[]) {
    const names = header.map(snakeCase);
    const find = (wanted: readonly string[]) => wanted.find((name) => names.includes(name));
    const found = { CUR: presentIn(CUR, find), FOCUS: presentIn(FOCUS, find) };
    if (found.CUR.length + found.FOCUS.length === 0) {
      throw new BillRefused('NOT_A_BILL', 'this is not a bill: its first line names no known column', GET_A_REPORT, {
        line: 1n,
      });
    }
    this.format = found.CUR.length >= found.FOCUS.length ? 'CUR' : 'FOCUS';
    const known = this.format === 'CUR' ? CUR : FOCUS;
    const missing = Object.values(known).filter((wanted: readonly string[]) => find(wanted) === undefined);
    if (missing.length > 0) {
      const list = missing.map((wanted: readonly string[]) => shown(this.format, wanted[0] ?? '')).join(', ');
      throw new BillRefused('MISSING_COLUMNS', `the ${this.format} report has no column ${list}`, GET_A_REPORT, {
        line: 1n,
        column: list,
      });
    }
    const cell = (wanted: readonly string[]) => {
      const index = names.indexOf(find(wanted) ?? '');
      return { name: header[index] ?? '', of: (cells: readonly string[]) => cells[index] ?? '' };
    };
    this.columns = {
      payer: cell(known.payer),
      period: cell(known.period),
      awsAccount: cell(known.awsAccount),
      product: cell(known.product),
      usageType: cell(known.usageType),
      lineType: cell(known.lineType),
      quantity: cell(known.quantity),
      cost: cell(known.cost),
      currency: cell(known.currency),
    };
    this.region = cell(REGION[this.format]).of;
    this.chargeClass = cell(['chargeclass']).of;
  }

  /** @throws BillRefused MALFORMED, OTHER_CURRENCY, NEGATIVE_USAGE, each naming the line and the column */
  read(cells: readonly string[], line: bigint): BillRecord {
    if (cells.length !== this.header.length) {
      throw new BillRefused(
        'MALFORMED',
        `${cells.length} cells where the header has ${this.header.length}`,
        'The file is damaged: download it again.',
        { line },
      );
    }
    const { columns } = this;
    const payer = this.account(columns.payer, cells, line);
    const lineType = columns.lineType.of(cells);
    const quantity = this.amount(columns.quantity, cells, line, '0');
    const chargeClass = this.chargeClass(cells) === 'Correction' ? 'Correction' : null;
    if (quantity < 0n && chargeClass === null && USAGE_LINES.has(lineType)) {
      throw new BillRefused(
        'NEGATIVE_USAGE',
        `usage is negative (${columns.quantity.of(cells)})`,
        'Usage never is; AWS writes what it takes back as Refund or Credit. Download the report again, or ask AWS support about this line.',
        { line, column: columns.quantity.name },
      );
    }
    const cost = this.amount(columns.cost, cells, line);
    const currency = columns.currency.of(cells);
    if (currency !== 'USD' && (currency !== '' || cost !== 0n)) {
      throw new BillRefused(
        'OTHER_CURRENCY',
        `the currency is "${currency}"`,
        'Only US dollars are taken in: have AWS bill this payer in USD, or export the report in it.',
        { line, column: columns.currency.name },
      );
    }
    return {
      payer,
      period: this.month(cells, line),
      awsAccount: columns.awsAccount.of(cells) === '' ? payer : this.account(columns.awsAccount, cells, line),
      region: this.region(cells),
      product: columns.product.of(cells),
      usageType: columns.usageType.of(cells),
      lineType,
      chargeClass,
      quantity,
      cost,
    };
  }

  /** The name in this file of a column. */
  nameOf(column: keyof Columns): string {
    return this.columns[column].name;
  }

  private month(cells: readonly string[], line: bigint): string {
    const { name, of } = this.columns.period;
    const text = of(cells);
    if (/^20\d\d-(0[1-9]|1[0-2])-01/.test(text)) return text.slice(0, 7);
    throw new BillRefused('MALFORMED', `"${cut(text)}" is not the first day of a month`, 'Download the file again.', {
      line,
      column: name,
    });
  }

  private account(
    { name, of }: { name: string; of: (cells: readonly string[]) => string },
    cells: readonly string[],
    line: bigint,
  ) {
    const text = of(cells);
    if (/^\d{12}$/.test(text)) return text;
    throw new BillRefused(
      'MALFORMED',
      `"${cut(text)}" is not an account number of 12 digits`,
      'A spreadsheet may have dropped leading zeros: import the file as AWS wrote it.',
      { line, column: name },
    );
  }

  private amount(
    { name, of }: { name: string; of: (cells: readonly string[]) => string },
    cells: readonly string[],
    line: bigint,
    whenBlank = '',
  ): Exact {
    const text = of(cells);
    const amount = parseExact(text === '' ? whenBlank : text);
    if (amount !== undefined) return amount;
    throw new BillRefused('MALFORMED', `"${cut(text)}" is not a decimal number`, 'Import the file as AWS wrote it.', {
      line,
      column: name,
    });
  }
}

function presentIn(columns: Columns, find: (wanted: readonly string[]) => string | undefined) {
  const all: readonly (readonly string[])[] = Object.values(columns);
  return all.filter((wanted) => find(wanted) !== undefined);
}

/** lineItem/UsageType and line_item_usage_type are one; FOCUS's names have no underscores once in lower case. */
function snakeCase(name: string): string {
  const bare = name.replace(/^\uFEFF/, '').trim();
  return bare.includes('/')
    ? bare
        .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
        .replace('/', '_')
        .toLowerCase()
    : bare.toLowerCase();
}

/** A missing column as the operator knows it. */
function shown(format: BillFormat, name: string): string {
  if (format === 'FOCUS') return FOCUS_NAMES.find((known) => known.toLowerCase() === name) ?? name;
  return name;
}

const FOCUS_NAMES = [
  'BillingAccountId',
  'BillingPeriodStart',
  'SubAccountId',
  'x_ServiceCode',
  'x_UsageType',
  'ChargeCategory',
  'ConsumedQuantity',
  'BilledCost',
  'BillingCurrency',
];

/** What a file holds is shown in part only: it may be anything. */
function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
