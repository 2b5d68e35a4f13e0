import type { PricingPlan } from '@libs/aws';

/** A pricing plan while it is in force. */
export interface PlanSpan {
  readonly pricingPlan: PricingPlan;
  readonly validFrom: Date;
  /** The first moment it no longer is; null = no end is known. */
  readonly validTo: Date | null;
}

/** What GetAccount.PricingAttributes says. */
export interface SeenPlans {
  readonly pricingPlan: PricingPlan;
  /** From the start of the next month on; undefined = no change is asked for (aws-facts 0). */
  readonly nextPlan: PricingPlan | undefined;
}

/** SES may show the new plan a little after the month it was announced for has begun. */
const LATE_MS = 3_600_000;

/**
 * The history after a look at the account. A change that was announced is dated to the start of its month, any other one to
 * the look that found it: SES upgrades at once and does not say when. An announcement that is withdrawn is forgotten.
 * @param history one account's, oldest first
 */
export function plansAfter(history: readonly PlanSpan[], seen: SeenPlans, at: Date): PlanSpan[] {
  const begun = history.filter((span) => span.validFrom <= at);
  const inForce = begun.at(-1);
  if (inForce && awaited(inForce, begun.at(-2), seen, at))
    return [...begun.slice(0, -1), { ...inForce, validTo: null }];

  const past = begun.slice(0, -1);
  if (inForce?.pricingPlan === seen.pricingPlan) past.push({ ...inForce, validTo: null });
  else {
    if (inForce && inForce.validFrom < at) past.push({ ...inForce, validTo: at });
    past.push({ pricingPlan: seen.pricingPlan, validFrom: at, validTo: null });
  }
  const last = past.at(-1);
  if (!last || seen.nextPlan === undefined || seen.nextPlan === seen.pricingPlan) return past;
  const change = nextMonth(at);
  return [
    ...past.slice(0, -1),
    { ...last, validTo: change },
    { pricingPlan: seen.nextPlan, validFrom: change, validTo: null },
  ];
}

/** The month has begun, and SES still shows the plan before as current and this one as the next. */
function awaited(inForce: PlanSpan, before: PlanSpan | undefined, seen: SeenPlans, at: Date): boolean {
  return (
    before?.pricingPlan === seen.pricingPlan &&
    inForce.pricingPlan === seen.nextPlan &&
    at.getTime() - inForce.validFrom.getTime() < LATE_MS
  );
}

function nextMonth(at: Date): Date {
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1));
}
