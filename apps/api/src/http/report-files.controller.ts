import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvoiceRegister, MARGIN_VIEWS, REPORT_FILES, ReportFiles, type ExportFormat } from '@libs/billing';
import { DomainError, type PlanId, type TenantId } from '@libs/kernel';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { inDollars } from '../admin/plan/plan-price.mapping';
import { uuidOf } from '../graphql/public-id';
import { GraphqlEdge } from './graphql-edge.middleware';
import { HttpRefusal } from './http.errors';
import { termsOfAddress } from './terms-of-address';

/** Points, as queries have them: a report looks through a whole month, an invoice is made anew. */
const POINTS = { report: 200, invoice: 50 } as const;
const INVOICE = /^([A-Z]{2,8}-\d{4}-\d{6,12})\.(pdf|csv|json|focus\.csv)$/;
const DRAFT = /^(ten_[0-9a-z]{26})\.(pdf|csv|json)$/;
const FORMATS: Readonly<Record<string, ExportFormat>> = { pdf: 'PDF', csv: 'CSV', json: 'JSON', 'focus.csv': 'FOCUS' };

/** What operators look at, as files: reports for a spreadsheet, anybody's invoices, drafts. */
@Controller('admin')
export class ReportFilesController {
  constructor(
    private readonly edge: GraphqlEdge,
    private readonly files: ReportFiles,
    private readonly register: InvoiceRegister,
  ) {}

  @Get('reports/what-if.csv')
  async whatIf(@Query() asked: object, @Req() request: Request, @Res() response: Response): Promise<void> {
    await this.edge.admitOperator(request, 'viewer', POINTS.report);
    const { period, planId, terms } = termsOfAddress(asked);
    const plan = planId === null ? null : uuidOf<PlanId>('plan', planId);
    const csv = await inDollars(this.files.whatIf(period, plan, terms));
    asFile(response, `what-if-${period}.csv`, 'text/csv; charset=utf-8').send(csv);
  }

  @Get('reports/:file')
  async report(
    @Param('file') file: string,
    @Query('period') period: unknown,
    @Query('by') by: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.edge.admitOperator(request, 'viewer', POINTS.report);
    const name = REPORT_FILES.find((one) => `${one}.csv` === file);
    if (!name) throw new HttpRefusal(404, 'NOT_FOUND', `Expected ${REPORT_FILES.join('.csv, ')}.csv or what-if.csv.`);
    const view = by === undefined ? MARGIN_VIEWS[0] : MARGIN_VIEWS.find((one) => one === by);
    if (!view) throw wrong('by', `Expected one of ${MARGIN_VIEWS.join(', ')}.`);
    const month = typeof period === 'string' ? period : '';
    const parts = this.files.csv(name, month, view);
    // What is wrong is said before anything is sent.
    const first = await parts.next();
    asFile(response, `${name}-${month}.csv`, 'text/csv; charset=utf-8');
    await pipeline(Readable.from(startingWith(first.done === true ? '' : first.value, parts)), response);
  }

  @Get('invoices/:file')
  async invoice(@Param('file') file: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    await this.edge.admitOperator(request, 'viewer', POINTS.invoice);
    const [, number = '', ending = ''] = INVOICE.exec(file) ?? [];
    const format = FORMATS[ending];
    if (!format) throw new HttpRefusal(404, 'NOT_FOUND', 'Expected <number>.pdf, .csv, .json or .focus.csv.');
    const { name, mediaType, content } = await this.register.export(number, format);
    asFile(response, name, mediaType).send(content);
  }

  @Get('drafts/:period/:file')
  async draft(
    @Param('period') period: string,
    @Param('file') file: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.edge.admitOperator(request, 'viewer', POINTS.invoice);
    const [, tenant = '', ending = ''] = DRAFT.exec(file) ?? [];
    const format = FORMATS[ending];
    if (!format) throw new HttpRefusal(404, 'NOT_FOUND', 'Expected ten_<id>.pdf, .csv or .json.');
    const { name, mediaType, content } = await this.register.exportDraft(
      period,
      uuidOf<TenantId>('tenant', tenant),
      format,
    );
    asFile(response, name, mediaType).send(content);
  }
}

function asFile(response: Response, name: string, mediaType: string): Response {
  response.setHeader('content-type', mediaType);
  response.setHeader('content-disposition', `attachment; filename="${name}"`);
  response.setHeader('cache-control', 'private, no-store');
  return response;
}

async function* startingWith(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

function wrong(field: string, message: string): DomainError {
  return new DomainError({ code: 'INVALID_INPUT', message, path: [field] });
}
