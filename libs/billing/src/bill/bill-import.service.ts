import path from 'node:path';
import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { parsePeriod } from '../billing-period.policy';
import { BillingPeriodRepository } from '../close/billing-period.repository';
import { isIssuing } from '../close/close.policy';
import { ReconcileService } from '../close/reconcile.service';
import { BillImportedAlready, BillRefused } from './bill.errors';
import { readBillFile } from './bill-file';
import { BillReader, type BillFormat } from './bill-format.policy';
import { BillSum, type BillTotals } from './bill-totals.policy';
import { BillRepository } from './bill.repository';

export interface BillToImport {
  readonly file: string;
  /** `YYYY-MM` */
  readonly period: string;
  /** A payer of whom nothing was imported before must be named. */
  readonly payer?: string;
  /** Called every 50,000 lines. */
  readonly onProgress?: (lines: bigint) => void;
}

export interface Imported {
  readonly payer: string;
  readonly format: BillFormat;
  readonly lines: bigint;
  readonly totalMicro: bigint;
  readonly outsideMicro: bigint;
  readonly unknownUsageTypes: readonly string[];
  /** Where its corrections were booked, when the month was final already. */
  readonly corrections: { readonly bookedIn: string; readonly lines: bigint; readonly costMicro: bigint } | null;
}

const PROGRESS_LINES = 50_000n;

/** Takes AWS's bill in: all of it or nothing. */
@Injectable()
export class BillImportService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly bills: BillRepository,
    private readonly periods: BillingPeriodRepository,
    private readonly reconciliation: ReconcileService,
    private readonly clock: EngineClock,
    private readonly audit: AuditService,
  ) {}

  /**
   * Reads a report and asks for the month to be held against it. A later report of the same payer and month takes the
   * place of the earlier one; of a month that is final it becomes corrections of the next open one.
   * @throws DomainError INVALID_INPUT (period); BillRefused naming line and column; BillImportedAlready
   */
  async import(bill: BillToImport, by: Author): Promise<Imported> {
    const period = parsePeriod(bill.period);
    const { fleet, payers } = await this.uow.forSystem(async () => ({
      fleet: await this.bills.fleetAccounts(),
      payers: await this.bills.knownPayers(),
    }));
    const { totals, format, sha256 } = await read(bill, fleet);
    if (bill.payer === undefined && !payers.has(totals.payer)) throw unknownPayer(totals.payer, payers);
    const corrections = await this.uow.forSystem(async () => {
      const { state, goal, step, withoutBill } = await this.periods.lock(period.name);
      const same = await this.bills.bySha256(sha256);
      if (same) throw new BillImportedAlready(same.fileName, same.importedAt);
      const importedAt = this.clock.now();
      await this.bills.supersede(period.name, totals.payer, importedAt);
      const facts = { period: period.name, format, sha256, fileName: path.basename(bill.file), importedAt };
      const { payer, lines, totalMicro, outsideMicro } = totals;
      const counts = { payer, lines, totalMicro, outsideMicro };
      await this.bills.store({ ...facts, ...counts, actor: by.actor }, totals.groups);
      const detail = { payer, format, sha256, lines: lines.toString(), totalMicro: totalMicro.toString() };
      await this.audit.record({ ...by, action: 'aws-bill.import', subject: period.name, detail });
      if (state === 'FINAL' || isIssuing(step)) return this.reconciliation.correct(period);
      // A month that is not over has no bill to go by yet: what is imported counts when it is closed.
      if (importedAt >= period.end) await this.periods.ask(period.name, goal ?? 'RECONCILED', withoutBill);
      return null;
    });
    const { payer, lines, totalMicro, outsideMicro, unknownUsageTypes } = totals;
    return { payer, format, lines, totalMicro, outsideMicro, unknownUsageTypes, corrections };
  }
}

async function read(
  { file, period, payer, onProgress }: BillToImport,
  fleet: ReadonlySet<string>,
): Promise<{ totals: BillTotals; format: BillFormat; sha256: string }> {
  let open: { reader: BillReader; sum: BillSum } | undefined;
  const { sha256 } = await readBillFile(file, {
    header: (cells) => {
      const reader = new BillReader(cells);
      open = { reader, sum: new BillSum(reader, period, payer, fleet) };
    },
    line: (cells, line) => {
      open?.sum.add(cells, line);
      if (line % PROGRESS_LINES === 0n) onProgress?.(line);
    },
  });
  if (!open) throw new Error('a file without a header passed as a bill');
  return { totals: open.sum.finish(), format: open.reader.format, sha256 };
}

function unknownPayer(payer: string, known: ReadonlySet<string>): BillRefused {
  const others =
    known.size === 0 ? 'no bill was imported before' : `so far bills came from ${[...known].sort().join(', ')}`;
  return new BillRefused(
    'OTHER_PAYER',
    `the report is of payer ${payer}, and ${others}`,
    `Name the payer ${payer} if it pays for accounts of the fleet, or give the right report.`,
  );
}
