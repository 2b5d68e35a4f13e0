import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import type { BillAlarm, BilledLine } from './bill-match.policy';
import type { BillFormat } from './bill-format.policy';
import type { BillGroup } from './bill-totals.policy';
import { formatExact, parseExact } from './exact-decimal.policy';

/** A report of AWS that was taken in. */
export interface BillImport {
  readonly id: bigint;
  readonly period: string;
  readonly payer: string;
  readonly format: BillFormat;
  readonly fileName: string;
  readonly sha256: string;
  readonly lines: bigint;
  readonly totalMicro: bigint;
  readonly outsideMicro: bigint;
  readonly importedAt: Date;
  readonly actor: string;
}

/** A report whose place was taken by a later one. */
export type ReplacedBill = Pick<BillImport, 'fileName' | 'importedAt' | 'lines' | 'totalMicro'>;

export interface RaisedAlarm extends BillAlarm {
  readonly raisedAt: Date;
}

interface ImportRow {
  id: string;
  period: string;
  payer: string;
  format: BillFormat;
  file_name: string;
  sha256: string;
  lines: string;
  total_micro: string;
  outside_micro: string;
  imported_at: Date;
  actor: string;
}

const COLUMNS = `id::text AS id, period, payer, format, file_name, sha256, lines::text AS lines,
  total_micro::text AS total_micro, outside_micro::text AS outside_micro, imported_at, actor`;
const BY_SHA256 = `SELECT ${COLUMNS} FROM bill_import WHERE sha256 = $1 AND superseded_at IS NULL`;
const CURRENT = `SELECT ${COLUMNS} FROM bill_import WHERE period = $1 AND superseded_at IS NULL ORDER BY id`;
const IMPORTS = `SELECT ${COLUMNS}, superseded_at FROM bill_import WHERE period = $1 ORDER BY id DESC`;
const SUPERSEDE = `UPDATE bill_import SET superseded_at = $3
  WHERE period = $1 AND payer = $2 AND superseded_at IS NULL RETURNING ${COLUMNS}`;
const PAGE = 5_000;

/** AWS's bill as it was imported. A later report of the same payer and month takes the place of the earlier one. */
@Injectable()
export class BillRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** AWS's account numbers of the fleet. */
  async fleetAccounts(): Promise<Set<string>> {
    const rows = await this.uow.query<{ account_id: string }>(`SELECT account_id FROM aws_account WHERE mode = 'LIVE'`);
    return new Set(rows.map((row) => row.account_id));
  }

  /** Payers of whom a bill was ever imported. */
  async knownPayers(): Promise<Set<string>> {
    const rows = await this.uow.query<{ payer: string }>('SELECT DISTINCT payer FROM bill_import');
    return new Set(rows.map((row) => row.payer));
  }

  /** The report with these contents, if it counts. */
  async countingBySha256(sha256: string): Promise<BillImport | undefined> {
    const rows = await this.uow.query<ImportRow>(BY_SHA256, [sha256]);
    return rows.map(fromRow)[0];
  }

  /** The reports that count for a month. */
  async current(period: string): Promise<BillImport[]> {
    const rows = await this.uow.query<ImportRow>(CURRENT, [period]);
    return rows.map(fromRow);
  }

  /** Every report of a month that was taken in, the last one first. */
  async imports(period: string): Promise<(BillImport & { readonly supersededAt: Date | null })[]> {
    const rows = await this.uow.query<ImportRow & { superseded_at: Date | null }>(IMPORTS, [period]);
    return rows.map((row) => ({ ...fromRow(row), supersededAt: row.superseded_at }));
  }

  /** The alarms of a month, dearest first. */
  async alarms(period: string): Promise<RaisedAlarm[]> {
    const rows = await this.uow.query<{
      kind: BillAlarm['kind'];
      aws_account: string;
      region: string;
      usage_type: string;
      ours_micro: string;
      billed_micro: string;
      raised_at: Date;
    }>(
      `SELECT kind, aws_account, region, usage_type, ours_micro::text AS ours_micro, billed_micro::text AS billed_micro, raised_at
         FROM billing_alarm WHERE period = $1 ORDER BY abs(billed_micro - ours_micro) DESC, id`,
      [period],
    );
    return rows.map((row) => ({
      kind: row.kind,
      awsAccount: row.aws_account,
      region: row.region,
      usageType: row.usage_type,
      oursMicro: BigInt(row.ours_micro),
      billedMicro: BigInt(row.billed_micro),
      raisedAt: row.raised_at,
    }));
  }

  /** What a payer's report of a month was so far counts no longer. */
  async supersede(period: string, payer: string, at: Date): Promise<ReplacedBill | null> {
    const rows = await this.uow.query<ImportRow>(SUPERSEDE, [period, payer, at]);
    const [before] = rows.map(fromRow);
    if (!before) return null;
    const { fileName, importedAt, lines, totalMicro } = before;
    return { fileName, importedAt, lines, totalMicro };
  }

  async store(bill: Omit<BillImport, 'id'>, groups: readonly BillGroup[]): Promise<bigint> {
    const [row] = await this.uow.query<{ id: string }>(
      `INSERT INTO bill_import (period, payer, format, file_name, sha256, lines, total_micro, outside_micro, imported_at, actor)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id::text AS id`,
      [
        bill.period,
        bill.payer,
        bill.format,
        bill.fileName,
        bill.sha256,
        bill.lines.toString(),
        bill.totalMicro.toString(),
        bill.outsideMicro.toString(),
        bill.importedAt,
        bill.actor,
      ],
    );
    const id = row?.id ?? '';
    for (let from = 0; from < groups.length; from += PAGE) await this.storeLines(id, groups.slice(from, from + PAGE));
    return BigInt(id);
  }

  /** What AWS charges the fleet's accounts in a month, by the reports that count. */
  async billed(period: string): Promise<BilledLine[]> {
    const rows = await this.uow.query<{
      payer: string;
      aws_account: string;
      region: string;
      product: string;
      usage_type: string;
      line_type: string;
      charge_class: 'Correction' | null;
      quantity: string;
      free_quantity: string;
      cost_micro: string;
    }>(
      `SELECT report.payer, line.aws_account, line.region, line.product, line.usage_type, line.line_type, line.charge_class,
              line.quantity::text AS quantity, line.free_quantity::text AS free_quantity, line.cost_micro::text AS cost_micro
         FROM bill_line line JOIN bill_import report ON report.id = line.import_id
        WHERE report.period = $1 AND report.superseded_at IS NULL AND line.in_fleet
        ORDER BY line.id`,
      [period],
    );
    return rows.map((row) => ({
      payer: row.payer,
      awsAccount: row.aws_account,
      region: row.region,
      product: row.product,
      usageType: row.usage_type,
      lineType: row.line_type,
      chargeClass: row.charge_class,
      quantity: parseExact(row.quantity) ?? 0n,
      freeQuantity: parseExact(row.free_quantity) ?? 0n,
      costMicro: BigInt(row.cost_micro),
    }));
  }

  /** Accounts that a payer of whom nothing is imported for the month paid for before: their lines wait for its report. */
  async awaitedAccounts(period: string): Promise<Set<string>> {
    const rows = await this.uow.query<{ aws_account: string }>(
      `SELECT DISTINCT line.aws_account
         FROM bill_line line JOIN bill_import report ON report.id = line.import_id
        WHERE line.in_fleet AND report.period < $1
          AND report.payer NOT IN (SELECT payer FROM bill_import WHERE period = $1)
          AND NOT EXISTS (SELECT FROM bill_line now JOIN bill_import b ON b.id = now.import_id
                           WHERE b.period = $1 AND b.superseded_at IS NULL AND now.aws_account = line.aws_account)`,
      [period],
    );
    return new Set(rows.map((row) => row.aws_account));
  }

  /** The alarms of a month are those of its last comparison. */
  async replaceAlarms(period: string, alarms: readonly BillAlarm[], at: Date): Promise<void> {
    await this.uow.query('DELETE FROM billing_alarm WHERE period = $1', [period]);
    await this.uow.query(
      `INSERT INTO billing_alarm (period, kind, aws_account, region, usage_type, ours_micro, billed_micro, raised_at)
       SELECT $1, alarm.kind, alarm.aws_account, alarm.region, alarm.usage_type, sum(alarm.ours), sum(alarm.billed), $2
         FROM jsonb_to_recordset($3::jsonb) AS alarm (kind text, aws_account text, region text, usage_type text,
                                                      ours bigint, billed bigint)
        GROUP BY 2, 3, 4, 5`,
      [
        period,
        at,
        JSON.stringify(
          alarms.map((alarm) => ({
            kind: alarm.kind,
            aws_account: alarm.awsAccount,
            region: alarm.region,
            usage_type: alarm.usageType,
            ours: alarm.oursMicro.toString(),
            billed: alarm.billedMicro.toString(),
          })),
        ),
      ],
    );
  }

  private async storeLines(importId: string, groups: readonly BillGroup[]): Promise<void> {
    await this.uow.query(
      `INSERT INTO bill_line (import_id, aws_account, region, product, usage_type, line_type, charge_class, lines, quantity,
                              free_quantity, cost_exact, cost_micro, in_fleet)
       SELECT $1, line.aws_account, line.region, line.product, line.usage_type, line.line_type, line.charge_class, line.lines,
              line.quantity, line.free_quantity, line.cost_exact, line.cost_micro, line.in_fleet
         FROM jsonb_to_recordset($2::jsonb) AS line (aws_account text, region text, product text, usage_type text,
                line_type text, charge_class text, lines bigint, quantity numeric, free_quantity numeric, cost_exact numeric,
                cost_micro bigint, in_fleet boolean)`,
      [
        importId,
        JSON.stringify(
          groups.map((group) => ({
            aws_account: group.awsAccount,
            region: group.region,
            product: group.product,
            usage_type: group.usageType,
            line_type: group.lineType,
            charge_class: group.chargeClass,
            lines: group.lines.toString(),
            quantity: formatExact(group.quantity),
            free_quantity: formatExact(group.freeQuantity),
            cost_exact: formatExact(group.cost),
            cost_micro: group.costMicro.toString(),
            in_fleet: group.inFleet,
          })),
        ),
      ],
    );
  }
}

function fromRow(row: ImportRow): BillImport {
  return {
    id: BigInt(row.id),
    period: row.period,
    payer: row.payer,
    format: row.format,
    fileName: row.file_name,
    sha256: row.sha256,
    lines: BigInt(row.lines),
    totalMicro: BigInt(row.total_micro),
    outsideMicro: BigInt(row.outside_micro),
    importedAt: row.imported_at,
    actor: row.actor,
  };
}
