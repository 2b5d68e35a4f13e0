import type { PriceTerms } from '@libs/plans';
import { rateMonth, type RatedSegment } from '../price/rating.v1.policy';
import { SKUS, type RateCards } from '../rates/rate-card.policy';
import { tieredPrice } from '../rates/tiered-price.policy';

/** How mail can leave: with everybody else's, through IPs that SES manages, or through standard ones of its own. */
export const IP_KINDS = ['SHARED', 'MANAGED', 'STANDARD'] as const;
export type IpKind = (typeof IP_KINDS)[number];

/** A month a la carte. Micro-dollars. */
export interface IpOption {
  readonly kind: IpKind;
  /** Recipients and IPs. */
  readonly costMicro: bigint;
  /** What it costs beyond SHARED. */
  readonly extraMicro: bigint;
  readonly rateIds: readonly bigint[];
}

/** What a tenant's own price makes of it. */
export interface IpAtTenantPrice {
  /** What it pays in the month without IPs of its own, and with them. */
  readonly priceSharedMicro: bigint;
  readonly priceWithIpsMicro: bigint;
  /** What is left with SHARED, and with STANDARD. */
  readonly marginSharedMicro: bigint;
  readonly marginStandardMicro: bigint;
  /** The IPs bring in at least what they cost. */
  readonly paysByItself: boolean;
}

export interface IpAdvice {
  readonly recipients: bigint;
  readonly ips: bigint;
  readonly options: readonly IpOption[];
  /** The cheaper way to an own reputation at this volume. */
  readonly cheaperOwn: 'MANAGED' | 'STANDARD';
  /** Recipients a month from which on standard IPs cost no more than managed ones; null = never. */
  readonly standardPaysFrom: bigint | null;
  readonly atTenantPrice: IpAtTenantPrice | null;
}

export const IP_ADVICE_ASSUMES = [
  'A la carte prices in force now, for one account in one region, for a whole month.',
  'An IP of its own brings its own reputation, good or bad; it needs steady volume to keep it, and shares the quota of its account.',
  'SES warms a standard IP up over 45 days; what does not fit meanwhile leaves through shared IPs.',
] as const;

/** No account sends more in a month. */
const MOST = 10n ** 12n;

/** @throws RateMissing */
export function ipAdvice(
  recipients: bigint,
  ips: bigint,
  cards: RateCards,
  at: Date,
  terms: PriceTerms | null,
): IpAdvice {
  const costOf = (sku: (typeof SKUS)[keyof typeof SKUS], quantity: bigint) =>
    tieredPrice(0n, quantity, cards.tiers('NONE', sku, at));
  const sent = costOf(SKUS.recipient, recipients);
  const option = (kind: IpKind, extras: readonly ReturnType<typeof costOf>[]): IpOption => {
    const extraMicro = extras.reduce((sum, extra) => sum + extra.costMicro, 0n);
    const rateIds = [sent, ...extras].flatMap((price) => price.cited.map((rate) => rate.id));
    return { kind, costMicro: sent.costMicro + extraMicro, extraMicro, rateIds };
  };
  const managedAt = (volume: bigint) => [costOf(SKUS.managedIpBase, 1n), costOf(SKUS.managedIpRecipient, volume)];
  const managed = option('MANAGED', managedAt(recipients));
  const standard = option('STANDARD', [costOf(SKUS.dedicatedIp, ips)]);
  const shared = option('SHARED', []);
  return {
    recipients,
    ips,
    options: [shared, managed, standard],
    cheaperOwn: standard.extraMicro <= managed.extraMicro ? 'STANDARD' : 'MANAGED',
    standardPaysFrom: firstFrom((volume) => {
      const [base, sending] = managedAt(volume);
      return (base?.costMicro ?? 0n) + (sending?.costMicro ?? 0n) >= standard.extraMicro;
    }),
    atTenantPrice: terms && atTenantPrice(terms, recipients, ips, shared.costMicro, standard.costMicro),
  };
}

function atTenantPrice(
  terms: PriceTerms,
  recipients: bigint,
  ips: bigint,
  sharedMicro: bigint,
  standardMicro: bigint,
): IpAtTenantPrice {
  const priceSharedMicro = priceOfMonth(terms, recipients, 0n);
  const priceWithIpsMicro = priceOfMonth(terms, recipients, ips);
  return {
    priceSharedMicro,
    priceWithIpsMicro,
    marginSharedMicro: priceSharedMicro - sharedMicro,
    marginStandardMicro: priceWithIpsMicro - standardMicro,
    paysByItself: priceWithIpsMicro - priceSharedMicro >= standardMicro - sharedMicro,
  };
}

const MONTH = { from: new Date('2026-11-01T00:00:00.000Z'), to: new Date('2026-12-01T00:00:00.000Z') };

/** What a whole month on the terms costs; whichever month it is makes no difference to a whole one. */
export function priceOfMonth(terms: PriceTerms, recipients: bigint, ips: bigint): bigint {
  const ipMs = ips * (BigInt(MONTH.to.getTime()) - BigInt(MONTH.from.getTime()));
  const segment: RatedSegment = { ...terms, ...MONTH, planId: '', planName: '', priceId: '0', recipients, ipMs };
  return rateMonth(MONTH, [segment]).reduce((sum, charge) => sum + charge.amountMicro, 0n);
}

/** The lowest volume of which it is true, of something that stays true above it. */
function firstFrom(isTrue: (volume: bigint) => boolean): bigint | null {
  if (!isTrue(MOST)) return null;
  let [low, high] = [0n, MOST];
  while (low < high) {
    const middle = (low + high) / 2n;
    if (isTrue(middle)) high = middle;
    else low = middle + 1n;
  }
  return low;
}
