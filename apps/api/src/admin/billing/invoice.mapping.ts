import type { InvoiceDraft as Draft, InvoiceProof as Proof, InvoiceLine, InvoiceRecord } from '@libs/billing';
import { formatUsd, toPublicId } from '@libs/kernel';
import type { IssuedInvoice, IssuedInvoiceLine } from './invoice.type';
import type { InvoiceDraft, InvoiceProof } from './invoice-register.type';

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
    pdf: `/admin/invoices/${number}.pdf`,
    lines: body.lines.map(toLine),
  };
}

export function toInvoiceDraft({ tenantId, body, draftedAt }: Draft): InvoiceDraft {
  const tenant = toPublicId('tenant', tenantId);
  return {
    tenantId: tenant,
    period: body.period.name,
    buyer: body.buyer.name,
    total: formatUsd(BigInt(body.totalCents) * MICRO_PER_CENT),
    draftedAt,
    pdf: `/admin/drafts/${body.period.name}/${tenant}.pdf`,
    lines: body.lines.map(toLine),
  };
}

export function toInvoiceProof(proof: Proof): InvoiceProof {
  const { invoice, isAsIssued, inputHash, bodyHash } = proof;
  return {
    number: invoice.number,
    tenantId: toPublicId('tenant', invoice.tenantId),
    isAsIssued,
    rulesVersion: invoice.renderVersion.toString(),
    storedInputHash: invoice.inputHash,
    inputHash,
    storedBodyHash: invoice.bodyHash,
    bodyHash,
    input: proof.inputJson,
    body: proof.bodyJson,
  };
}

function toLine(line: InvoiceLine): IssuedInvoiceLine {
  return {
    no: Number(line.no),
    sku: line.sku,
    description: line.description,
    quantity: line.quantity,
    unit: line.unit,
    amount: formatUsd(BigInt(line.amountMicro)),
    method: line.cites.method,
    planPriceIds: [...line.cites.planPrices],
  };
}
