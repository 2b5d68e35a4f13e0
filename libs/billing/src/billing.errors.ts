import { DomainError, formatUsd } from '@libs/kernel';

/** Usage fell where no price is in force: a gap in the rate card. Operators are told where; it is never a price of zero. */
export class RateMissing extends DomainError {
  constructor(
    readonly sku: string,
    readonly card: string,
    readonly at: Date,
  ) {
    super({
      code: 'CONFLICT',
      message:
        `No price of ${sku} on card ${card} is in force at ${at.toISOString()}: what was used then cannot be reckoned. ` +
        'Publish what was charged from that day on; rateGaps shows every gap of a month.',
      path: ['period'],
    });
    this.name = 'RateMissing';
  }
}

/** The rate card in the code says another price than the database for the same day. Published prices never change. */
export class RateCardConflict extends Error {
  constructor(sku: string, card: string, validFrom: Date, stored: bigint, wanted: bigint) {
    super(
      `${sku} on card ${card} from ${validFrom.toISOString()} is stored with ${formatUsd(stored)} and wanted with ` +
        `${formatUsd(wanted)} USD, or their ends differ: end the old price with validTo and add the new one after it.`,
    );
    this.name = 'RateCardConflict';
  }
}

/** A tenant was on a plan that had no price: publish one. A fault of ours, which customers hear nothing of; never a price of zero. */
export class PlanPriceMissing extends Error {
  constructor(tenant: string, plan: string, at: Date) {
    super(`Tenant ${tenant} was on the plan "${plan}" at ${at.toISOString()}, which had no price then: publish one.`);
    this.name = 'PlanPriceMissing';
  }
}

/** The same, for operators: they can mend it. */
export function planPriceToPublish({ message }: PlanPriceMissing): DomainError {
  return new DomainError({ code: 'CONFLICT', message, path: ['period'] });
}

/** What a stored invoice is recomputed to is not what was issued: its input or its rules were tampered with. */
export class InvoiceDiffers extends Error {
  constructor(number: string) {
    super(`Invoice ${number} recomputed from its stored input is not the one that was issued.`);
    this.name = 'InvoiceDiffers';
  }
}

/** The database refused to change what was issued. */
export class InvoiceIssued extends DomainError {
  constructor() {
    super({
      code: 'CONFLICT',
      message: 'An issued invoice is never changed: void it, or correct it by a credit note.',
      path: ['invoiceId'],
    });
    this.name = 'InvoiceIssued';
  }
}
