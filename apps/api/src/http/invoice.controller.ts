import { InvoiceRecords, type ExportFormat } from '@libs/billing';
import { UnitOfWork } from '@libs/database';
import type { InvoiceId } from '@libs/kernel';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { uuidOf } from '../graphql/public-id';
import { GraphqlEdge } from './graphql-edge.middleware';
import { HttpRefusal } from './http.errors';

/** Points of a download, as queries have them: a PDF is drawn anew each time. */
const POINTS = 50;
const FILE = /^(inv_[0-9a-z]{26})\.(pdf|csv|json|focus\.csv)$/;
const FORMATS: Readonly<Record<string, ExportFormat>> = { pdf: 'PDF', csv: 'CSV', json: 'JSON', 'focus.csv': 'FOCUS' };

/** A tenant's invoices as files. */
@Controller('invoices')
export class InvoiceController {
  constructor(
    private readonly edge: GraphqlEdge,
    private readonly uow: UnitOfWork,
    private readonly records: InvoiceRecords,
  ) {}

  @Get(':file')
  async download(@Param('file') file: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const { tenantId } = await this.edge.admitKey(request, 'billing:read', POINTS);
    const [, id = '', ending = ''] = FILE.exec(file) ?? [];
    const format = FORMATS[ending];
    if (!format) throw new HttpRefusal(404, 'NOT_FOUND', 'Expected inv_<id>.pdf, .csv, .json or .focus.csv.');
    const { name, mediaType, content } = await this.uow.confine(tenantId, () =>
      this.records.export(tenantId, uuidOf<InvoiceId>('invoice', id), format),
    );
    response.setHeader('content-type', mediaType);
    response.setHeader('content-disposition', `attachment; filename="${name}"`);
    response.setHeader('cache-control', 'private, no-store');
    response.send(content);
  }
}
