import { RateMissing } from '../billing.errors';

/** SES's own names for what an account pays per recipient; NONE is a la carte. */
export const PRICING_PLANS = ['NONE', 'ESSENTIALS', 'PRO', 'ENTERPRISE'] as const;
export type PricingPlan = (typeof PRICING_PLANS)[number];

/** A pricing plan of one account, from that moment until the next one. */
export interface PlanInForce {
  readonly pricingPlan: PricingPlan;
  readonly validFrom: Date;
}

export const SKUS = {
  recipient: 'ses.recipient',
  baseFee: 'ses.base_fee_month',
  dedicatedIp: 'ses.dedicated_ip_month',
  attachmentGb: 'ses.attachment_gb',
  managedIpBase: 'ses.managed_ip_base_month',
  managedIpRecipient: 'ses.managed_ip_recipient',
  vdmRecipient: 'ses.vdm_recipient',
  tenant: 'ses.tenant_month',
  validation: 'ses.validation',
  snsPublish: 'sns.publish',
  snsDelivery: 'sns.http_delivery',
} as const;
export type Sku = (typeof SKUS)[keyof typeof SKUS];

/** A price on a card: `amountMicro` micro-dollars for `perUnits` units, from the `tierFrom`-th unit of a month on. */
export interface CardRate {
  readonly card: string;
  readonly sku: string;
  readonly tierFrom: bigint;
  readonly amountMicro: bigint;
  readonly perUnits: bigint;
  readonly validFrom: Date;
  /** The first moment it is no longer in force; null = still is. */
  readonly validTo: Date | null;
  readonly source: string;
}

/** A price as stored: what every line of cost cites. */
export interface StoredRate extends CardRate {
  readonly id: bigint;
}

/** A time without a price. */
export interface Gap {
  readonly card: string;
  readonly sku: string;
  readonly from: Date;
  readonly to: Date;
}

const A_LA_CARTE = 'aws-a-la-carte';
export const CARDS = {
  NONE: A_LA_CARTE,
  ESSENTIALS: 'aws-essentials',
  PRO: 'aws-pro',
  ENTERPRISE: 'aws-enterprise',
} as const satisfies Record<PricingPlan, string>;

/** All prices, asked by plan, sku and time. What a plan's own card does not name costs what it costs a la carte. */
export class RateCards {
  constructor(private readonly rates: readonly StoredRate[]) {}

  /** The tiers in force, lowest first, the first from unit 0; undefined when there is no price. */
  find(plan: PricingPlan, sku: Sku, at: Date): readonly StoredRate[] | undefined {
    return this.inForce(CARDS[plan], sku, at) ?? this.inForce(A_LA_CARTE, sku, at);
  }

  /** @throws RateMissing */
  tiers(plan: PricingPlan, sku: Sku, at: Date): readonly [StoredRate, ...StoredRate[]] {
    const [first, ...rest] = this.find(plan, sku, at) ?? [];
    if (!first) throw new RateMissing(sku, CARDS[plan], at);
    return [first, ...rest];
  }

  /** The moments after `from` and before `to` at which some price begins or ends, in order. */
  changes(from: Date, to: Date): Date[] {
    const moments = this.rates
      .flatMap((rate) => [rate.validFrom, rate.validTo])
      .filter((moment) => moment !== null)
      .filter((moment) => moment > from && moment < to);
    return [...new Map(moments.map((moment) => [moment.getTime(), moment])).values()].sort(
      (a, b) => a.getTime() - b.getTime(),
    );
  }

  /** Where, between two moments, something has no price that had one before, card by card. */
  gaps(from: Date, to: Date): Gap[] {
    const gaps: Gap[] = [];
    const first = this.rates.filter((rate) => rate.tierFrom === 0n);
    for (const name of [...new Set(first.map((rate) => `${rate.card} ${rate.sku}`))].sort()) {
      const own = first.filter((rate) => `${rate.card} ${rate.sku}` === name);
      const [sample] = own;
      if (!sample) continue;
      own.sort((a, b) => a.validFrom.getTime() - b.validFrom.getTime());
      own.forEach((rate, index) => {
        const begins = later(rate.validTo ?? to, from);
        const ends = earlier(own[index + 1]?.validFrom ?? to, to);
        if (rate.validTo !== null && begins < ends)
          gaps.push({ card: sample.card, sku: sample.sku, from: begins, to: ends });
      });
    }
    return gaps;
  }

  private inForce(card: string, sku: Sku, at: Date): readonly StoredRate[] | undefined {
    const tiers = this.rates
      .filter((rate) => rate.card === card && rate.sku === sku)
      .filter((rate) => rate.validFrom <= at && (rate.validTo === null || rate.validTo > at))
      .sort((a, b) => (a.tierFrom < b.tierFrom ? -1 : 1));
    return tiers[0]?.tierFrom === 0n ? tiers : undefined;
  }
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}
