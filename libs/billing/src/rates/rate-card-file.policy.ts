import { parseUsd } from '@libs/kernel';
import { z } from 'zod';
import type { CardRate } from './rate-card.policy';

const amount = z.string().regex(/^\d{1,12}(\.\d{1,6})?$/, 'expected dollars as decimal text with at most six decimals');
const count = z.string().regex(/^(0|[1-9]\d{0,17})$/, 'expected a whole number as text');
const moment = z.iso.datetime();

const file = z.strictObject({
  about: z.string(),
  rates: z.array(
    z.strictObject({
      card: z.string().min(1),
      sku: z.string().min(1),
      tierFrom: count.default('0'),
      usd: amount,
      per: count,
      validFrom: moment,
      validTo: moment.optional(),
      source: z.string().min(1),
    }),
  ),
});

/** The rate card as data: amounts and counts are text, so that no price ever passes through a float. */
export function parseRateCardFile(json: unknown): CardRate[] {
  return file.parse(json).rates.map((rate) => ({
    card: rate.card,
    sku: rate.sku,
    tierFrom: BigInt(rate.tierFrom),
    amountMicro: parseUsd(rate.usd),
    perUnits: BigInt(rate.per),
    validFrom: new Date(rate.validFrom),
    validTo: rate.validTo === undefined ? null : new Date(rate.validTo),
    source: rate.source,
  }));
}
