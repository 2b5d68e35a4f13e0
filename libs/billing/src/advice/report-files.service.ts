import { Injectable } from '@nestjs/common';
import { parsePeriod } from '../billing-period.policy';
import { InvoiceRecords } from '../invoice/invoice-records.service';
import { BillingReports } from './billing-reports.service';
import { MARGIN_VIEWS, type MarginView } from './margin.policy';
import { INVOICES_HEAD, invoiceRows, marginCsv, waterfallCsv } from './report-csv.policy';

export const REPORT_FILES = ['margin', 'waterfall', 'invoices'] as const;
export type ReportFile = (typeof REPORT_FILES)[number];

const PAGE = { limit: 100 } as const;

/** The same answers as files for a spreadsheet. For operators. */
@Injectable()
export class ReportFiles {
  constructor(
    private readonly reports: BillingReports,
    private readonly records: InvoiceRecords,
  ) {}

  /**
   * In parts.
   * @param view of the margin; by tenant unless said
   * @throws DomainError INVALID_INPUT (period)
   */
  async *csv(file: ReportFile, period: string, view: MarginView = MARGIN_VIEWS[0]): AsyncGenerator<string> {
    const { name } = parsePeriod(period);
    if (file === 'margin') yield marginCsv(await this.reports.margin(name, view));
    else if (file === 'waterfall') yield waterfallCsv(await this.reports.waterfall(name));
    else yield* this.invoices(name);
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
