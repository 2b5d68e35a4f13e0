import type { StoredRate } from '@libs/billing';
import { formatUsd, parseUsd } from '@libs/kernel';
import { invalidField, renamed } from '../../graphql/payload';
import type { Rate } from './rate.type';

/** @throws DomainError INVALID_INPUT naming the field */
export function dollarsOf(field: string, text: string): bigint {
  try {
    return parseUsd(text);
  } catch {
    throw invalidField(field, 'Expected US dollars with at most six decimals, for example "24.95".');
  }
}

export function toRate(rate: StoredRate): Rate {
  const { id, amountMicro, ...rest } = rate;
  return { ...rest, id: id.toString(), amount: formatUsd(amountMicro) };
}

/** Services speak of micro-dollars where the input has dollars. */
export function inAmounts<T>(work: Promise<T>): Promise<T> {
  return renamed(['amountMicro'], ['amount'], work);
}

/** @param at in force then; null = whenever */
export function isMeant(card: string | null, at: Date | null): (rate: StoredRate) => boolean {
  return (rate) =>
    (card === null || rate.card === card) &&
    (at === null || (rate.validFrom <= at && (rate.validTo === null || rate.validTo > at)));
}
