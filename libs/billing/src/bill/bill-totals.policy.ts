import { BillRefused } from './bill.errors';
import type { BillReader, BillRecord } from './bill-format.policy';
import { roundTogether, type Exact } from './exact-decimal.policy';
import { knownUsage, regionOfUsageType } from './usage-type.policy';

/** All lines of a bill that say the same: one account, region, usage type and line type. */
export interface BillGroup {
  readonly awsAccount: string;
  readonly region: string;
  readonly product: string;
  readonly usageType: string;
  readonly lineType: string;
  readonly chargeClass: 'Correction' | null;
  /** False for accounts of the same payer that are not ours: counted, never allocated. */
  readonly inFleet: boolean;
  readonly lines: bigint;
  readonly quantity: Exact;
  /** The part of the quantity on lines that cost nothing. */
  readonly freeQuantity: Exact;
  readonly cost: Exact;
  /** The groups of an import add up to its exact total, rounded once. */
  readonly costMicro: bigint;
}

export interface BillTotals {
  readonly payer: string;
  readonly lines: bigint;
  readonly groups: readonly BillGroup[];
  /** Charges of the fleet's accounts, and of the others; micro-dollars. */
  readonly totalMicro: bigint;
  readonly outsideMicro: bigint;
  /** Usage types of the fleet's accounts that nobody told us of. */
  readonly unknownUsageTypes: readonly string[];
}

type Sums = { -readonly [K in 'lines' | 'quantity' | 'freeQuantity' | 'cost']: bigint };
type Open = Omit<BillGroup, keyof Sums | 'costMicro'> & { sums: Sums };

/** A fleet has some dozens of kinds of charge in each account and region; memory is bounded by this, not by the file. */
const MOST_KINDS = 200_000;
const ALL = '*';

/** Adds the lines of a bill up as they are read. */
export class BillSum {
  private readonly open = new Map<string, Open>();
  private payer: string | undefined;
  private lines = 0n;

  /**
   * @param period `YYYY-MM` that the bill must be of
   * @param expectedPayer the payer it must be of; undefined = whoever it is, but one
   */
  constructor(
    private readonly period: string,
    private readonly expectedPayer: string | undefined,
    private readonly fleet: ReadonlySet<string>,
  ) {}

  /** @throws BillRefused OTHER_PERIOD, OTHER_PAYER, TOO_MANY_KINDS and what the reader throws */
  add(reader: BillReader, cells: readonly string[], line: bigint): void {
    const record = reader.read(cells, line);
    this.check(record, line, reader);
    this.lines += 1n;
    const { quantity, cost } = record;
    const { sums } = this.groupOf(record, line);
    sums.lines += 1n;
    sums.quantity += quantity;
    sums.cost += cost;
    if (cost === 0n) sums.freeQuantity += quantity;
  }

  /** @throws BillRefused EMPTY */
  finish(): BillTotals {
    if (this.payer === undefined) {
      throw new BillRefused(
        'EMPTY',
        'the file has no lines',
        'Wait until AWS has written the report, and download it again.',
      );
    }
    // In one order whatever the file's, so that the same lines give the same amounts.
    const groups = [...this.open].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
    const ours = rounded(groups.filter((group) => group.inFleet));
    const others = rounded(groups.filter((group) => !group.inFleet));
    const unknown = ours.groups
      .filter((group) => isUsage(group.lineType) && !knownUsage(group.product, group.usageType))
      .map((group) => group.usageType);
    return {
      payer: this.payer,
      lines: this.lines,
      groups: [...ours.groups, ...others.groups],
      totalMicro: ours.total,
      outsideMicro: others.total,
      unknownUsageTypes: [...new Set(unknown)],
    };
  }

  private check(record: BillRecord, line: bigint, reader: BillReader): void {
    if (record.period !== this.period) {
      throw new BillRefused(
        'OTHER_PERIOD',
        `the line is of ${record.period}, not of ${this.period}`,
        `Import it with the period ${record.period}, or give the report of ${this.period}.`,
        { line, column: reader.nameOf('period') },
      );
    }
    const expected = this.expectedPayer ?? this.payer;
    if (expected !== undefined && record.payer !== expected) {
      throw new BillRefused(
        'OTHER_PAYER',
        `the line is of payer ${record.payer}, not of ${expected}`,
        'Give the report of that payer, or name this payer if it pays for accounts of the fleet too.',
        { line, column: reader.nameOf('payer') },
      );
    }
    this.payer = record.payer;
  }

  private groupOf(record: BillRecord, line: bigint): Open {
    const inFleet = this.fleet.has(record.awsAccount);
    const { awsAccount, product, lineType, chargeClass } = record;
    const usageType = inFleet ? record.usageType : ALL;
    const region = inFleet ? record.region || (regionOfUsageType(usageType) ?? '') : ALL;
    const key = `${inFleet ? '' : ALL}${awsAccount}|${region}|${product}|${usageType}|${lineType}|${chargeClass ?? ''}`;
    const known = this.open.get(key);
    if (known) return known;
    if (this.open.size >= MOST_KINDS) {
      throw new BillRefused(
        'TOO_MANY_KINDS',
        `more than ${MOST_KINDS} kinds of charge`,
        'This is no report of a mail fleet: filter the export to the accounts of the fleet.',
        { line },
      );
    }
    const sums = { lines: 0n, quantity: 0n, freeQuantity: 0n, cost: 0n };
    const group = { awsAccount, region, product, usageType, lineType, chargeClass, inFleet, sums };
    this.open.set(key, group);
    return group;
  }
}

/** Lines that charge for something; the rest gives back, taxes or adjusts. */
export function isUsage(lineType: string): boolean {
  return categoryOf(lineType) === 'Usage' || categoryOf(lineType) === 'Purchase';
}

/** CUR's line item types in FOCUS's words. */
export function categoryOf(lineType: string): 'Usage' | 'Purchase' | 'Tax' | 'Credit' | 'Adjustment' {
  if (/^(Usage|DiscountedUsage|SavingsPlanCoveredUsage)$/.test(lineType)) return 'Usage';
  if (/^(Purchase|Fee|RIFee|SavingsPlan(Upfront|Recurring)Fee)$/.test(lineType)) return 'Purchase';
  if (lineType === 'Tax') return 'Tax';
  return /^(Credit|Refund|SavingsPlanNegation|\w*Discount)$/.test(lineType) ? 'Credit' : 'Adjustment';
}

function rounded(open: readonly Open[]): { groups: BillGroup[]; total: bigint } {
  const { parts, total } = roundTogether(open.map(({ sums }) => sums.cost));
  return {
    groups: open.map(({ sums, ...group }, index) => ({ ...group, ...sums, costMicro: parts[index] ?? 0n })),
    total,
  };
}
