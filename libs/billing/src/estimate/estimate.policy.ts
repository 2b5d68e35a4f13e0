import { divideHalfEven, type Issue } from '@libs/kernel';
import {
  PRICING_PLANS,
  SKUS,
  type PricingPlan,
  type RateCards,
  type Sku,
  type StoredRate,
} from '../rates/rate-card.policy';
import { tieredPrice } from '../rates/tiered-price.policy';

/** What somebody thinks of sending in a month through one sending account. */
export interface Demand {
  readonly recipientsPerMonth: bigint;
  /** Standard dedicated IPs, leased for the whole month. */
  readonly dedicatedIps: bigint;
  readonly pricingPlan: string;
  /** Bytes of attachments in each message, on average. */
  readonly attachmentBytes?: bigint;
  /** AWS's managed dedicated IPs; Pro and Enterprise include them. */
  readonly managedIps?: boolean;
  /** Virtual Deliverability Manager; every plan but a la carte includes it. */
  readonly virtualDeliverabilityManager?: boolean;
}

export interface EstimateLine {
  readonly sku: Sku;
  readonly quantity: bigint;
  readonly costMicro: bigint;
  readonly rateIds: readonly bigint[];
  readonly source: string;
}

const MOST = { recipients: 10n ** 12n, ips: 10_000n, bytes: 40n * 1024n * 1024n } as const;

export function isPricingPlan(text: string): text is PricingPlan {
  return (PRICING_PLANS as readonly string[]).includes(text);
}

/** Everything that is wrong with the demand, field by field. */
export function demandIssues(demand: Demand): Issue[] {
  const issues: Issue[] = [];
  const within = (field: keyof Demand, value: bigint, most: bigint) => {
    if (value >= 0n && value <= most) return;
    issues.push({ code: 'INVALID_INPUT', message: `Expected a whole number from 0 to ${most}.`, path: [field] });
  };
  within('recipientsPerMonth', demand.recipientsPerMonth, MOST.recipients);
  within('dedicatedIps', demand.dedicatedIps, MOST.ips);
  within('attachmentBytes', demand.attachmentBytes ?? 0n, MOST.bytes);
  if (!isPricingPlan(demand.pricingPlan)) {
    const message = `Expected one of ${PRICING_PLANS.join(', ')}.`;
    issues.push({ code: 'INVALID_INPUT', message, path: ['pricingPlan'] });
  }
  return issues;
}

/**
 * What AWS charges for the demand, line by line, each rounded once. Nothing is charged for what the plan includes.
 * @throws RateMissing when no price is in force at that time
 */
export function estimateLines(demand: Demand, plan: PricingPlan, rates: RateCards, at: Date): EstimateLine[] {
  const lines: EstimateLine[] = [];
  const volume = demand.recipientsPerMonth;
  const charge = (sku: Sku, quantity: bigint) => {
    if (quantity === 0n) return;
    const price = tieredPrice(0n, quantity, rates.tiers(plan, sku, at));
    lines.push({ sku, quantity, costMicro: price.costMicro, ...citing(price.cited) });
  };

  charge(SKUS.recipient, volume);
  const fee = rates.find(plan, SKUS.baseFee, at)?.[0];
  if (fee && fee.amountMicro > 0n) {
    const costMicro = divideHalfEven(fee.amountMicro, fee.perUnits);
    lines.push({ sku: SKUS.baseFee, quantity: 1n, costMicro, ...citing([fee]) });
  }
  charge(SKUS.dedicatedIp, demand.dedicatedIps);
  charge(SKUS.attachmentGb, volume * (demand.attachmentBytes ?? 0n));
  if (demand.managedIps === true && plan !== 'PRO' && plan !== 'ENTERPRISE') {
    charge(SKUS.managedIpBase, 1n);
    charge(SKUS.managedIpRecipient, volume);
  }
  if (demand.virtualDeliverabilityManager === true && plan === 'NONE') charge(SKUS.vdmRecipient, volume);
  return lines;
}

function citing(rates: readonly StoredRate[]): Pick<EstimateLine, 'rateIds' | 'source'> {
  return { rateIds: rates.map((rate) => rate.id), source: rates.map((rate) => rate.source).join('; ') };
}
