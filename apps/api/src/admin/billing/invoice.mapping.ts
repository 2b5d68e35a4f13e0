import type { InvoiceRecord } from '@libs/billing';
import { formatUsd, toPublicId } from '@libs/kernel';
import type { IssuedInvoice } from './invoice.type';

const MICRO_PER_CENT = 10_000n;

export function toIssuedInvoice(invoice: InvoiceRecord): IssuedInvoice {
  const { number, kind, state, period, issuedAt, dueAt, voidedAt, voidReason, bodyHash, body, corrects } = invoice;
  return {
    id: toPublicId('invoice', invoice.id),
    tenantId: toPublicId('tenant', invoice.tenantId),
    number,
    kind,
    state,
    period,
    buyer: body.buyer.name,
    total: formatUsd(invoice.totalCents * MICRO_PER_CENT),
    issuedAt,
    dueAt,
    corrects: corrects && toPublicId('invoice', corrects),
    voidedAt,
    voidReason,
    bodyHash,
    lines: body.lines.map((line) => ({
      no: Number(line.no),
      sku: line.sku,
      description: line.description,
      quantity: line.quantity,
      unit: line.unit,
      amount: formatUsd(BigInt(line.amountMicro)),
      method: line.cites.method,
      planPriceIds: [...line.cites.planPrices],
    })),
  };
}
