import { divideHalfEven } from '@libs/kernel';
import { parsePeriod } from '../billing-period.policy';
import { rateMonth, type Charge, type RatedSegment } from '../price/rating.v1.policy';
import type { InvoiceInput, SegmentInput } from './invoice-input.policy';

/*
 * An invoice from its input. Version 1: invoices that were issued with it are recomputed with it, so it is never changed;
 * another way is another version beside it.
 */

const MICRO_PER_CENT = 10_000n;

/** One line; amounts in micro-dollars. All of it is text, so that it is hashed, stored and shown as it is. */
export interface InvoiceLine {
  readonly no: string;
  readonly sku: string;
  readonly description: string;
  readonly quantity: string;
  readonly unit: Charge['unit'];
  readonly rate: { readonly amountMicro: string; readonly perUnits: string } | null;
  readonly amountMicro: string;
  readonly from: string;
  readonly to: string;
  readonly cites: { readonly method: string; readonly planPrices: readonly string[]; readonly line: string | null };
}

/** What an invoice says, whatever it is shown as. */
export interface InvoiceBody {
  readonly kind: InvoiceInput['kind'];
  readonly period: { readonly name: string; readonly from: string; readonly to: string };
  readonly currency: 'USD';
  readonly tenant: string;
  readonly buyer: InvoiceInput['buyer'];
  readonly issue: InvoiceInput['issue'];
  readonly corrects: NonNullable<InvoiceInput['credit']>['corrects'] | null;
  readonly reason: string | null;
  readonly lines: readonly InvoiceLine[];
  /** Exact sum of the charges. */
  readonly totalMicro: string;
  readonly carriedInMicro: string;
  /** What makes whole cents of it; the opposite is carried to the next invoice. */
  readonly roundingMicro: string;
  readonly totalCents: string;
}

export function invoiceBodyV1(input: InvoiceInput): InvoiceBody {
  const { start, end, name } = parsePeriod(input.period);
  const month = { from: start, to: end };
  const charges = input.credit
    ? input.credit.lines.map((line) => credited(line, month))
    : rateMonth(month, input.segments.map(toSegment)).map(charged);
  const total = charges.reduce((sum, line) => sum + BigInt(line.amountMicro), 0n);
  const carried = BigInt(input.carriedInMicro);
  const totalCents = divideHalfEven(total + carried, MICRO_PER_CENT);
  const rounding = totalCents * MICRO_PER_CENT - total - carried;
  const residues = [
    residue('invoice.carried', 'Rounding carried from earlier invoices', carried, month),
    residue('invoice.rounding', 'Rounding to whole cents', rounding, month),
  ];
  return {
    kind: input.kind,
    period: { name, from: start.toISOString(), to: end.toISOString() },
    currency: input.currency,
    tenant: input.tenant,
    buyer: input.buyer,
    issue: input.issue,
    corrects: input.credit?.corrects ?? null,
    reason: input.credit?.reason ?? null,
    lines: [...charges, ...residues.filter((line) => line.amountMicro !== '0')].map((line, index) => ({
      ...line,
      no: String(index + 1),
    })),
    totalMicro: total.toString(),
    carriedInMicro: input.carriedInMicro,
    roundingMicro: rounding.toString(),
    totalCents: totalCents.toString(),
  };
}

type Unnumbered = Omit<InvoiceLine, 'no'>;

function charged(charge: Charge): Unnumbered {
  return {
    sku: charge.sku,
    description: charge.description,
    quantity: charge.quantity.toString(),
    unit: charge.unit,
    rate: charge.rate && {
      amountMicro: charge.rate.amountMicro.toString(),
      perUnits: charge.rate.perUnits.toString(),
    },
    amountMicro: charge.amountMicro.toString(),
    from: charge.from.toISOString(),
    to: charge.to.toISOString(),
    cites: { method: charge.method, planPrices: charge.priceIds, line: null },
  };
}

type Month = { readonly from: Date; readonly to: Date };

function credited(line: NonNullable<InvoiceInput['credit']>['lines'][number], month: Month): Unnumbered {
  return {
    sku: 'invoice.credit',
    description: line.description,
    quantity: '1',
    unit: 'month',
    rate: null,
    amountMicro: (-BigInt(line.amountMicro)).toString(),
    from: month.from.toISOString(),
    to: month.to.toISOString(),
    cites: { method: 'credit/by-hand@1', planPrices: [], line: line.lineNo },
  };
}

function residue(sku: string, description: string, amount: bigint, month: Month): Unnumbered {
  return {
    sku,
    description,
    quantity: '1',
    unit: 'month',
    rate: null,
    amountMicro: amount.toString(),
    from: month.from.toISOString(),
    to: month.to.toISOString(),
    cites: { method: 'rounding/half-even-cents@1', planPrices: [], line: null },
  };
}

function toSegment(segment: SegmentInput): RatedSegment {
  return {
    planId: segment.planId,
    planName: segment.planName,
    priceId: segment.priceId,
    from: new Date(segment.from),
    to: new Date(segment.to),
    baseFeeMicro: BigInt(segment.baseFeeMicro),
    includedRecipients: BigInt(segment.includedRecipients),
    overage: segment.overage.map((tier) => ({
      from: BigInt(tier.from),
      amountMicro: BigInt(tier.amountMicro),
      perUnits: BigInt(tier.perUnits),
    })),
    dedicatedIpFeeMicro: BigInt(segment.dedicatedIpFeeMicro),
    minimumMicro: BigInt(segment.minimumMicro),
    recipients: BigInt(segment.recipients),
    ipMs: BigInt(segment.ipMs),
  };
}
