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
import type { BillFormat } from './bill-format.policy';
import { partsOf } from './bill-manifest';
import { readReport } from './bill-parts';
import { BillRepository, type ReplacedBill } from './bill.repository';

export interface BillToImport {
  /** All files of the report: AWS splits large ones. Or its manifest, with the files beside it. */
  readonly files: readonly string[];
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
  /** The report of this payer and month that counted until now; null = there was none. */
  readonly replaced: ReplacedBill | null;
  /** Where its corrections were booked, when the month was final already. */
  readonly corrections: { readonly bookedIn: string; readonly lines: bigint; readonly costMicro: bigint } | null;
}

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
   * Reads a report, all of its files together, and asks for the month to be held against it. A later report of the same payer and month takes the
   * place of the earlier one; of a month that is final it becomes corrections of the next open one.
   * @throws DomainError INVALID_INPUT (period); BillRefused naming line and column; BillImportedAlready
   */
  async import(bill: BillToImport, by: Author): Promise<Imported> {
    const period = parsePeriod(bill.period);
    const { fleet, payers } = await this.uow.forSystem(async () => ({
      fleet: await this.bills.fleetAccounts(),
      payers: await this.bills.knownPayers(),
    }));
    const parts = await partsOf(bill.files);
    const { onProgress } = bill;
    const expected = { period: period.name, payer: bill.payer, fleet, onProgress };
    const { totals, format, sha256 } = await readReport(parts, expected);
    if (bill.payer === undefined && !payers.has(totals.payer)) throw unknownPayer(totals.payer, payers);
    const { replaced, corrections } = await this.uow.forSystem(async () => {
      const { state, goal, step, withoutBill } = await this.periods.lock(period.name);
      const same = await this.bills.countingBySha256(sha256);
      if (same) throw new BillImportedAlready(same.fileName, same.importedAt);
      const importedAt = this.clock.now();
      const before = await this.bills.supersede(period.name, totals.payer, importedAt);
      const facts = { period: period.name, format, sha256, fileName: nameOf(parts), importedAt };
      const { payer, lines, totalMicro, outsideMicro } = totals;
      const counts = { payer, lines, totalMicro, outsideMicro };
      await this.bills.store({ ...facts, ...counts, actor: by.actor }, totals.groups);
      const detail = { payer, format, sha256, lines: lines.toString(), totalMicro: totalMicro.toString() };
      await this.audit.record({ ...by, action: 'aws-bill.import', subject: period.name, detail });
      if (state === 'FINAL' || isIssuing(step)) {
        return { replaced: before, corrections: await this.reconciliation.correct(period) };
      }
      // A month that is not over has no bill to go by yet: what is imported counts when it is closed.
      if (importedAt >= period.end) await this.periods.ask(period.name, goal ?? 'RECONCILED', withoutBill);
      return { replaced: before, corrections: null };
    });
    const { payer, lines, totalMicro, outsideMicro, unknownUsageTypes } = totals;
    return { payer, format, lines, totalMicro, outsideMicro, unknownUsageTypes, replaced, corrections };
  }
}

/** `cur-1.csv.gz and 2 more` */
function nameOf(parts: readonly string[]): string {
  const first = path.basename(parts[0] ?? '');
  return parts.length > 1 ? `${first} and ${parts.length - 1} more` : first;
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
