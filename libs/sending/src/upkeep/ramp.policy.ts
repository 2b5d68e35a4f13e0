/** What decides how much a tenant may send on a day. Recipients a day. */
export interface RampTerms {
  /** Of the plan; null = no limit of the plan. */
  readonly planCap: bigint | null;
  /** Of the tier: what anybody may send whatever they sent before. */
  readonly floor: bigint;
  /** Of the tier, a decimal of at most two places, 1 or more: a day may have this many times the highest one before. */
  readonly factor: string;
}

/** What a tenant may send today, and whether the ramp or only its plan says so. */
export interface DayAllowance {
  /** Recipients per rolling 24 h. */
  readonly recipients: bigint;
  readonly limit: 'RAMP' | 'PLAN';
}

/**
 * AWS and mailbox providers ask for volume that grows gradually: a day has at most `factor` times the highest of the
 * seven days before it, never less than the floor of the tier, and never more than the plan.
 */
export function allowanceFor(terms: RampTerms, highestDay: bigint): DayAllowance {
  const [whole = '0', fraction = ''] = terms.factor.split('.');
  const hundredths = BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0'));
  const grown = (highestDay * hundredths) / 100n;
  const ramp = grown > terms.floor ? grown : terms.floor;
  if (terms.planCap !== null && terms.planCap <= ramp) return { recipients: terms.planCap, limit: 'PLAN' };
  return { recipients: ramp, limit: 'RAMP' };
}

/** The allowances of today and of days to come, when each is used up: the last one stands for all that follow it. */
export function allowancesAhead(terms: RampTerms, highestDay: bigint, days: number): DayAllowance[] {
  const ahead: DayAllowance[] = [];
  let highest = highestDay;
  for (let day = 0; day < days; day += 1) {
    const allowance = allowanceFor(terms, highest);
    ahead.push(allowance);
    if (allowance.recipients > highest) highest = allowance.recipients;
    if (allowance.limit === 'PLAN') break;
  }
  return ahead;
}

/** Whether what was sent before can change the answer. */
export function needsHistory({ planCap, floor }: RampTerms): boolean {
  return planCap === null || planCap > floor;
}
