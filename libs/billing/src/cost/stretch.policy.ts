import { cutAt, type Period, type Span } from '../billing-period.policy';
import type { PlanInForce, PricingPlan, RateCards, Sku, StoredRate } from '../rates/rate-card.policy';
import type { UsageRow } from '../usage/usage';
import type { BilledAccount } from './fleet-facts';

/** Usage of one thing in a part of a month in which its price stays the same. */
export interface Stretch {
  readonly span: Span;
  readonly plan: PricingPlan;
  readonly tiers: readonly [StoredRate, ...StoredRate[]];
  readonly rows: readonly UsageRow[];
}

const HOUR_MS = 3_600_000;

/**
 * The month of an account, cut where its plan or this price changes, with what was used in each part; parts without use
 * are left out. A plan counts from the hour in which it was taken: usage is known by the hour then.
 * @throws RateMissing when something was used at a time for which there is no price
 */
export function stretchesOf(
  account: BilledAccount,
  sku: Sku,
  rows: readonly UsageRow[],
  period: Period,
  rates: RateCards,
): Stretch[] {
  return partsOf(account, sku, period, rates).flatMap(({ span, plan }) => {
    const used = rows.filter((row) => row.span.from >= span.from && row.span.from < span.to);
    const [first] = used;
    return first ? [{ span, plan, tiers: rates.tiers(plan, sku, first.span.from), rows: used }] : [];
  });
}

/** The plan in force; before the first one known, that one. */
export function planAt(plans: readonly PlanInForce[], at: Date): PricingPlan {
  const begun = plans.filter((plan) => hourOf(plan.validFrom) <= at);
  return (begun.at(-1) ?? plans[0])?.pricingPlan ?? 'NONE';
}

/** The month cut wherever the price of anything may change for one of the accounts. */
export function pricedAlike(accounts: readonly BilledAccount[], period: Period, rates: RateCards): Span[] {
  return cutAt({ from: period.start, to: period.end }, changesOf(accounts, period, rates));
}

interface Part {
  readonly span: Span;
  readonly plan: PricingPlan;
  readonly rates: string;
}

function partsOf(account: BilledAccount, sku: Sku, period: Period, rates: RateCards): Part[] {
  const parts: Part[] = [];
  for (const span of pricedAlike([account], period, rates)) {
    const plan = planAt(account.plans, span.from);
    const part = { span, plan, rates: (rates.find(plan, sku, span.from) ?? []).map((rate) => rate.id).join() };
    const last = parts.at(-1);
    if (last?.plan === part.plan && last.rates === part.rates) {
      parts[parts.length - 1] = { ...last, span: { from: last.span.from, to: span.to } };
    } else parts.push(part);
  }
  return parts;
}

function changesOf(accounts: readonly BilledAccount[], period: Period, rates: RateCards): Date[] {
  const plans = accounts.flatMap((account) => account.plans.map((plan) => hourOf(plan.validFrom)));
  return [...rates.changes(period.start, period.end), ...plans].sort((a, b) => a.getTime() - b.getTime());
}

function hourOf(at: Date): Date {
  return new Date(at.getTime() - (at.getTime() % HOUR_MS));
}
