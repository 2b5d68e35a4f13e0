import { DomainError, formatUsd, parseUsd } from '@libs/kernel';
import type { PlanPrice as PlanPriceRow, PriceTerms } from '@libs/plans';
import { invalidField } from '../../graphql/payload';
import type { PlanPrice, PriceTermsInput } from './plan-price.type';

export function toPlanPrice(row: PlanPriceRow): PlanPrice {
  return {
    id: row.id.toString(),
    validFrom: row.validFrom,
    validTo: row.validTo,
    baseFee: formatUsd(row.baseFeeMicro),
    includedRecipients: row.includedRecipients,
    overage: row.overage.map((tier) => ({ from: tier.from, price: formatUsd(tier.amountMicro), per: tier.perUnits })),
    dedicatedIpFee: formatUsd(row.dedicatedIpFeeMicro),
    minimum: formatUsd(row.minimumMicro),
    monotone: row.monotone,
    source: row.source,
  };
}

/** @throws DomainError INVALID_INPUT for an amount that is none */
export function toPriceTerms(input: PriceTermsInput): PriceTerms {
  return {
    baseFeeMicro: dollars(input.baseFee, 'baseFee'),
    includedRecipients: input.includedRecipients,
    overage: input.overage.map((tier, index) => ({
      from: tier.from,
      amountMicro: dollars(tier.price, `overage.${index}.price`),
      perUnits: tier.per,
    })),
    dedicatedIpFeeMicro: dollars(input.dedicatedIpFee, 'dedicatedIpFee'),
    minimumMicro: dollars(input.minimum, 'minimum'),
    monotone: input.monotone,
  };
}

/** What the input calls otherwise than the service does. */
const NAMES: Readonly<Record<string, string>> = {
  baseFeeMicro: 'baseFee',
  dedicatedIpFeeMicro: 'dedicatedIpFee',
  minimumMicro: 'minimum',
  amountMicro: 'price',
  perUnits: 'per',
};

/** Tells what is wrong with a price by the names of the input. */
export async function inDollars<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const [first, ...rest] = error.issues.map((issue) =>
      issue.path ? { ...issue, path: issue.path.map((name) => NAMES[name] ?? name) } : issue,
    );
    throw first ? new DomainError(first, ...rest) : error;
  }
}

function dollars(text: string, field: string): bigint {
  try {
    return parseUsd(text);
  } catch {
    throw invalidField(field, 'Expected US dollars with at most six decimals, for example "24.95".');
  }
}
