import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BillImportService, type Imported } from '@libs/billing';
import { formatUsd } from '@libs/kernel';
import { Controller, HttpCode, Post, Query, Req } from '@nestjs/common';
import type { Request } from 'express';
import { authorOf } from '../auth/author';
import { factsOf } from '../auth/principal';
import { GraphqlEdge } from './graphql-edge.middleware';
import { HttpRefusal } from './http.errors';

/** Points, as queries have them: it is read as a whole. */
const POINTS = 500;
const MAX_BILL_BYTES = 2 * 1024 ** 3;

/** AWS's bill on its way in. For operators. */
@Controller('admin')
export class BillUploadController {
  constructor(
    private readonly edge: GraphqlEdge,
    private readonly bills: BillImportService,
  ) {}

  @Post('bills')
  @HttpCode(201)
  async importBill(
    @Query('period') period: unknown,
    @Query('payer') payer: unknown,
    @Query('name') name: unknown,
    @Req() request: Request,
  ): Promise<object> {
    const principal = await this.edge.admitOperator(request, 'operator', POINTS);
    const folder = await mkdtemp(path.join(tmpdir(), 'postfleet-bill-'));
    try {
      const file = path.join(folder, fileNameOf(textOf(name)));
      await received(request, file);
      const by = authorOf({ principal, requestId: factsOf(request).requestId });
      const paid = payer === undefined ? {} : { payer: textOf(payer) };
      return shown(await this.bills.import({ files: [file], period: textOf(period), ...paid }, by));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
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

function shown({ totalMicro, outsideMicro, lines, replaced, corrections, ...rest }: Imported): object {
  return {
    ...rest,
    lines: lines.toString(),
    total: formatUsd(totalMicro),
    outside: formatUsd(outsideMicro),
    replaced: replaced && {
      fileName: replaced.fileName,
      importedAt: replaced.importedAt,
      lines: replaced.lines.toString(),
      total: formatUsd(replaced.totalMicro),
    },
    corrections: corrections && {
      bookedIn: corrections.bookedIn,
      lines: corrections.lines.toString(),
      cost: formatUsd(corrections.costMicro),
    },
  };
}
