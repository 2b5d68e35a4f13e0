import { canonicalJson } from '../invoice/canonical-json.policy';
import type { MadeInvoice } from '../invoice/invoice-versions.policy';
import { FOCUS_HEAD, focusRows } from './focus.policy';
import { invoiceCsv } from './invoice-csv.policy';
import { invoicePdf } from './invoice-pdf';

export const EXPORT_FORMATS = ['PDF', 'CSV', 'JSON', 'FOCUS'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** A file to hand out. */
export interface ExportedFile {
  readonly name: string;
  readonly mediaType: string;
  readonly content: Buffer;
}

const MEDIA_TYPES = {
  PDF: 'application/pdf',
  CSV: 'text/csv; charset=utf-8',
  FOCUS: 'text/csv; charset=utf-8',
  JSON: 'application/json',
} as const satisfies Record<ExportFormat, string>;

const ENDINGS = { PDF: 'pdf', CSV: 'csv', FOCUS: 'focus.csv', JSON: 'json' } as const satisfies Record<
  ExportFormat,
  string
>;

/** The same invoice gives the same bytes in every format. */
export async function exportInvoice(
  made: MadeInvoice,
  voidedAt: Date | null,
  format: ExportFormat,
): Promise<ExportedFile> {
  const number = made.body.issue?.number ?? `draft-${made.body.period.name}`;
  return {
    name: `${number}.${ENDINGS[format]}`,
    mediaType: MEDIA_TYPES[format],
    content: await contentOf(made, voidedAt, format),
  };
}

async function contentOf(
  { body, bodyHash, inputHash }: MadeInvoice,
  voidedAt: Date | null,
  format: ExportFormat,
): Promise<Buffer> {
  switch (format) {
    case 'PDF':
      return invoicePdf(body, { bodyHash, voidedAt });
    case 'CSV':
      return Buffer.from(invoiceCsv(body));
    case 'FOCUS':
      return Buffer.from(FOCUS_HEAD + focusRows(body));
    case 'JSON':
      return Buffer.from(
        `${canonicalJson({ bodyHash, inputHash, invoice: body, voidedAt: voidedAt?.toISOString() ?? null })}\n`,
      );
  }
}
