import type { GetAccountCommandOutput } from '@aws-sdk/client-sesv2';

const PRICING_PLANS = ['NONE', 'ESSENTIALS', 'PRO', 'ENTERPRISE'] as const;
export type PricingPlan = (typeof PRICING_PLANS)[number];

/** What GetAccount says about one account in one region (aws-facts 1.1). */
export interface AccountSnapshot {
  /** Recipients per rolling 24 h; -1 = unlimited. */
  readonly max24HourSend: bigint;
  /** Recipients per second, a decimal with at most three places. */
  readonly maxSendRate: string;
  readonly sentLast24Hours: bigint;
  /** False = sandbox. */
  readonly productionAccess: boolean;
  readonly sendingEnabled: boolean;
  /** HEALTHY, PROBATION (under review), SHUTDOWN (paused); a plain string, so others may come. */
  readonly enforcementStatus: string;
  readonly pricingPlan: PricingPlan;
  /** What it changes to with the next month; undefined = no change is asked for. */
  readonly nextPricingPlan: PricingPlan | undefined;
}

type Answer = Omit<GetAccountCommandOutput, '$metadata'>;

/** Far beyond any rate that SES grants, and what is stored and paced. */
const MOST_RATE = 999_999_999;

/** A figure of SES; none where it is missing, no number or less than nothing, so that one odd account stops no other. */
const figure = (value: number | undefined, most = Number.MAX_SAFE_INTEGER) =>
  value === undefined || Number.isNaN(value) ? 0 : Math.min(most, Math.max(0, value));

/** Quotas come as doubles: allowances are rounded down, use is rounded up. A missing quota is none; -1 alone is unlimited. */
export function accountSnapshot(answer: Answer): AccountSnapshot {
  const quota = answer.SendQuota;
  return {
    max24HourSend: quota?.Max24HourSend === -1 ? -1n : BigInt(Math.floor(figure(quota?.Max24HourSend))),
    maxSendRate: String(Math.floor(figure(quota?.MaxSendRate, MOST_RATE) * 1_000) / 1_000),
    sentLast24Hours: BigInt(Math.ceil(figure(quota?.SentLast24Hours))),
    productionAccess: answer.ProductionAccessEnabled === true,
    sendingEnabled: answer.SendingEnabled !== false,
    enforcementStatus: answer.EnforcementStatus ?? 'HEALTHY',
    pricingPlan: PRICING_PLANS.find((plan) => plan === answer.PricingAttributes?.CurrentPlan) ?? 'NONE',
    nextPricingPlan: PRICING_PLANS.find((plan) => plan === answer.PricingAttributes?.NextPlan),
  };
}
