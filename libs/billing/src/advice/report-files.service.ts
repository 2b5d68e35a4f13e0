import { Injectable } from '@nestjs/common';
import { parsePeriod } from '../billing-period.policy';
import { InvoiceRecords } from '../invoice/invoice-records.service';
import { BillingAdvice, type WhatIfReport } from './billing-advice.service';
import { BillingReports } from './billing-reports.service';
import { MARGIN_VIEWS, type MarginView } from './margin.policy';
import {
  idleCsv,
  INVOICES_HEAD,
  invoiceRows,
  marginCsv,
  planAdviceCsv,
  waterfallCsv,
  whatIfCsv,
} from './report-csv.policy';

export const REPORT_FILES = ['margin', 'waterfall', 'idle', 'plan-advice', 'invoices'] as const;
export type ReportFile = (typeof REPORT_FILES)[number];

const PAGE = { limit: 100 } as const;

/** The same answers as files for a spreadsheet. For operators. */
@Injectable()
export class ReportFiles {
  constructor(
    private readonly reports: BillingReports,
    private readonly advice: BillingAdvice,
    private readonly records: InvoiceRecords,
  ) {}

  /**
   * In parts.
   * @param view of the margin; by tenant unless said
   * @throws DomainError INVALID_INPUT (period)
   */
  async *csv(file: ReportFile, period: string, view: MarginView = MARGIN_VIEWS[0]): AsyncGenerator<string> {
    const { name } = parsePeriod(period);
    switch (file) {
      case 'margin':
        yield marginCsv(await this.reports.margin(name, view));
        return;
      case 'waterfall':
        yield waterfallCsv(await this.reports.waterfall(name));
        return;
      case 'idle':
        yield idleCsv(await this.reports.idle(name));
        return;
      case 'plan-advice':
        yield planAdviceCsv(await this.advice.pricingPlans(name));
        return;
      case 'invoices':
        yield* this.invoices(name);
    }
  }

  /** @throws as BillingAdvice.priceWhatIf does */
  async whatIf(...asked: Parameters<BillingAdvice['priceWhatIf']>): Promise<string> {
    const report: WhatIfReport = await this.advice.priceWhatIf(...asked);
    return whatIfCsv(report);
  }

  private async *invoices(period: string): AsyncGenerator<string> {
    yield INVOICES_HEAD;
    const filter = { period, tenantId: null, state: null };
    for (let after: string | undefined; ;) {
      const page = await this.records.register(filter, { ...PAGE, ...(after === undefined ? {} : { after }) });
      yield invoiceRows(page.rows);
      after = page.rows.at(-1)?.number;
      if (!page.hasNext) return;
    }
  }
}
