import type { InvoiceRecord } from '@libs/billing';
import { formatUsd, toPublicId } from '@libs/kernel';
import type { ApiSettings } from '../../api.settings';
import { lineOfInvoice } from './billing.mapping';
import { Invoice } from './invoice.type';

const MICRO_PER_CENT = 10_000n;

export const toInvoice =
  (settings: ApiSettings) =>
  (record: InvoiceRecord): Invoice => {
    const id = toPublicId('invoice', record.id);
    const { kind, state, number, period, issuedAt, dueAt, voidedAt, voidReason, inputHash, bodyHash } = record;
    return Object.assign(new Invoice(), {
      ...{ kind, state, number, period, issuedAt, dueAt, voidedAt, voidReason, inputHash, bodyHash },
      id,
      uuid: record.id,
      correctsId: record.corrects,
      currency: record.body.currency,
      total: formatUsd(record.totalCents * MICRO_PER_CENT),
      lines: record.body.lines.map(lineOfInvoice),
      downloads: {
        pdf: settings.invoiceUrl(`${id}.pdf`),
        csv: settings.invoiceUrl(`${id}.csv`),
        json: settings.invoiceUrl(`${id}.json`),
        focus: settings.invoiceUrl(`${id}.focus.csv`),
      },
    });
  };
