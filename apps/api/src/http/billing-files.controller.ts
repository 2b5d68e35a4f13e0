import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BillImportService, MARGIN_VIEWS, REPORT_FILES, ReportFiles, type Imported } from '@libs/billing';
import { DomainError, formatUsd } from '@libs/kernel';
import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { authorOf } from '../auth/author';
import { factsOf } from '../auth/principal';
import { GraphqlEdge } from './graphql-edge.middleware';
import { HttpRefusal } from './http.errors';

/** Points, as queries have them: both look through a whole month. */
const POINTS = { report: 200, bill: 500 } as const;
const MAX_BILL_BYTES = 2 * 1024 ** 3;

/** Money as files: reports for a spreadsheet, and AWS's bill on its way in. For operators. */
@Controller('admin')
export class BillingFilesController {
  constructor(
    private readonly edge: GraphqlEdge,
    private readonly files: ReportFiles,
    private readonly bills: BillImportService,
  ) {}

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
    if (!name) throw new HttpRefusal(404, 'NOT_FOUND', `Expected ${REPORT_FILES.join('.csv, ')}.csv.`);
    const view = by === undefined ? MARGIN_VIEWS[0] : MARGIN_VIEWS.find((one) => one === by);
    if (!view) throw wrong('by', `Expected one of ${MARGIN_VIEWS.join(', ')}.`);
    const parts = this.files.csv(name, textOf(period), view);
    // What is wrong is said before anything is sent.
    const first = await parts.next();
    response.setHeader('content-type', 'text/csv; charset=utf-8');
    response.setHeader('content-disposition', `attachment; filename="${name}-${textOf(period)}.csv"`);
    response.setHeader('cache-control', 'private, no-store');
    await pipeline(Readable.from(startingWith(first.done === true ? '' : first.value, parts)), response);
  }

  @Post('bills')
  @HttpCode(201)
  async importBill(
    @Query('period') period: unknown,
    @Query('payer') payer: unknown,
    @Query('name') name: unknown,
    @Req() request: Request,
  ): Promise<object> {
    const principal = await this.edge.admitOperator(request, 'operator', POINTS.bill);
    const folder = await mkdtemp(path.join(tmpdir(), 'postfleet-bill-'));
    try {
      const file = path.join(folder, fileNameOf(textOf(name)));
      await received(request, file);
      const by = authorOf({ principal, requestId: factsOf(request).requestId });
      const paid = payer === undefined ? {} : { payer: textOf(payer) };
      return shown(await this.bills.import({ file, period: textOf(period), ...paid }, by));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function* startingWith(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

/** The body as a file, as it comes: memory does not grow with it. */
async function received(request: Request, file: string): Promise<void> {
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > MAX_BILL_BYTES) {
        done(new HttpRefusal(413, 'PAYLOAD_TOO_LARGE', `A bill has at most ${MAX_BILL_BYTES} bytes.`, closing));
      } else done(null, chunk);
    },
  });
  try {
    await pipeline(request, limit, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    if (error instanceof HttpRefusal || !request.destroyed) throw error;
    throw new HttpRefusal(400, 'INVALID_INPUT', 'The body ended early.', closing);
  }
}

const closing = { connection: 'close' };

/** Nothing of the address names a place: what is left of it is one plain name. */
function fileNameOf(name: string): string {
  const plain = path
    .basename(name)
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(-120);
  return /^\.*$/.test(plain) ? 'bill' : plain;
}

function textOf(parameter: unknown): string {
  return typeof parameter === 'string' ? parameter : '';
}

function wrong(field: string, message: string): DomainError {
  return new DomainError({ code: 'INVALID_INPUT', message, path: [field] });
}

function shown({ totalMicro, outsideMicro, lines, corrections, ...rest }: Imported): object {
  return {
    ...rest,
    lines: lines.toString(),
    total: formatUsd(totalMicro),
    outside: formatUsd(outsideMicro),
    corrections: corrections && {
      bookedIn: corrections.bookedIn,
      lines: corrections.lines.toString(),
      cost: formatUsd(corrections.costMicro),
    },
  };
}
