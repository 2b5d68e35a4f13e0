import type { TenantId } from '@libs/kernel';
import type { PriceSegment } from '../price/price-segments.policy';
import type { InvoiceInput, Party, Seller } from './invoice-input.policy';

/** What was used in one segment. */
export interface SegmentUsage {
  readonly recipients: bigint;
  readonly ipMs: bigint;
}

/** The input of a month's invoice before it is issued. */
export function draftInput(
  period: string,
  tenant: TenantId,
  buyer: Party,
  segments: readonly (PriceSegment & SegmentUsage)[],
  carriedInMicro: bigint,
): InvoiceInput {
  return {
    kind: 'INVOICE',
    period,
    currency: 'USD',
    tenant,
    buyer,
    segments: segments.map(({ price, ...segment }) => ({
      planId: price.planId,
      planName: segment.planName,
      priceId: price.id.toString(),
      from: segment.from.toISOString(),
      to: segment.to.toISOString(),
      baseFeeMicro: price.baseFeeMicro.toString(),
      includedRecipients: price.includedRecipients.toString(),
      overage: price.overage.map((tier) => ({
        from: tier.from.toString(),
        amountMicro: tier.amountMicro.toString(),
        perUnits: tier.perUnits.toString(),
      })),
      dedicatedIpFeeMicro: price.dedicatedIpFeeMicro.toString(),
      minimumMicro: price.minimumMicro.toString(),
      recipients: segment.recipients.toString(),
      ipMs: segment.ipMs.toString(),
    })),
    credit: null,
    carriedInMicro: carriedInMicro.toString(),
    issue: null,
  };
}

export interface Issue {
  readonly number: string;
  readonly at: Date;
  readonly dueAt: Date;
  readonly seller: Seller;
  readonly auditHead: string | null;
}

/** The same input, issued. */
export function issuedInput(draft: InvoiceInput, issue: Issue): InvoiceInput {
  return {
    ...draft,
    issue: {
      number: issue.number,
      issuedAt: issue.at.toISOString(),
      dueAt: issue.dueAt.toISOString(),
      seller: issue.seller,
      auditHead: issue.auditHead,
    },
  };
}

/** `INV-2026`: numbers begin anew every year. */
export function seriesOf(kind: InvoiceInput['kind'], at: Date): string {
  return `${kind === 'INVOICE' ? 'INV' : 'CN'}-${at.toISOString().slice(0, 4)}`;
}

export function numberOf(series: string, count: bigint): string {
  return `${series}-${count.toString().padStart(6, '0')}`;
}

/** Whether a text could be the number of an invoice or a credit note. */
export function isNumber(text: string): boolean {
  return /^(INV|CN)-\d{4}-\d{6,18}$/.test(text);
}
