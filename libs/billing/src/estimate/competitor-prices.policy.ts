import { divideHalfEven, parseUsd } from '@libs/kernel';
import { z } from 'zod';

const usd = z.string().regex(/^\d{1,12}(\.\d{1,6})?$/);
const count = z.string().regex(/^[1-9]\d{0,17}$/);

const file = z.strictObject({
  about: z.string(),
  offers: z.array(
    z.strictObject({
      vendor: z.string(),
      product: z.string(),
      source: z.string(),
      readOn: z.string().nullable(),
      figures: z.array(z.strictObject({ recipients: count, usd, meaning: z.enum(['LIST', 'AT_LEAST', 'AT_MOST']) })),
      overage: z.strictObject({ from: count, upTo: count, usd, per: count }).optional(),
      /** Kept as the source gives them; nothing is reckoned with them. */
      also: z.array(z.strictObject({ what: z.string(), usd, per: count })).default([]),
    }),
  ),
});

export type CompetitorOffer = z.output<typeof file>['offers'][number];

/** What somebody else asks for the same volume, as far as a source says it. */
export interface CompetitorPrice {
  readonly vendor: string;
  readonly product: string;
  /** Micro-dollars a month; null = no source gives it. */
  readonly monthMicro: bigint | null;
  /** The listed price, or a bound of it; null with the amount. */
  readonly meaning: 'LIST' | 'AT_LEAST' | 'AT_MOST' | null;
  readonly source: string;
  /** The day the source was read; null = the source has no date. */
  readonly readOn: string | null;
}

export function parseCompetitorFile(json: unknown): CompetitorOffer[] {
  return file.parse(json).offers;
}

/** Every offer's price for exactly this volume. Nothing is interpolated: what no source says is null. */
export function competitorPrices(recipients: bigint, offers: readonly CompetitorOffer[]): CompetitorPrice[] {
  return offers.map((offer) => {
    const { vendor, product, source, readOn } = offer;
    const figure = offer.figures.find((one) => BigInt(one.recipients) === recipients);
    if (figure) return { vendor, product, source, readOn, monthMicro: parseUsd(figure.usd), meaning: figure.meaning };
    const bound = floorPlusOverage(recipients, offer);
    return { vendor, product, source, readOn, monthMicro: bound, meaning: bound === null ? null : 'AT_MOST' };
  });
}

function floorPlusOverage(recipients: bigint, offer: CompetitorOffer): bigint | null {
  const { overage } = offer;
  const floor = overage && offer.figures.find((figure) => figure.recipients === overage.from);
  if (!floor || recipients < BigInt(overage.from) || recipients > BigInt(overage.upTo)) return null;
  const beyond = recipients - BigInt(overage.from);
  return parseUsd(floor.usd) + divideHalfEven(beyond * parseUsd(overage.usd), BigInt(overage.per));
}
