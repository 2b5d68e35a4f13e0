import type { Issue } from '@libs/kernel';

/** How fast the volume of a tenant of a tier may grow. */
export interface TierRamp {
  /** Recipients a day that are always allowed. */
  readonly floor: bigint;
  /** Times the highest day of the last seven; a decimal of 1 to 9,999.99. */
  readonly factor: string;
}

const FACTOR = /^[1-9]\d{0,3}(?:\.\d{1,2})?$/;
const MAX_BIGINT = 2n ** 63n - 1n;

/** Everything that is wrong with it; empty when it may be stored. */
export function rampIssues({ floor, factor }: TierRamp): Issue[] {
  const issues: Issue[] = [];
  if (floor < 1n || floor > MAX_BIGINT) {
    issues.push({ code: 'INVALID_INPUT', message: 'Expected at least 1 recipient a day.', path: ['rampFloor'] });
  }
  if (!FACTOR.test(factor)) {
    const message = 'Expected a decimal from 1 to 9999.99 with at most two decimals, such as "3" or "1.5".';
    issues.push({ code: 'INVALID_INPUT', message, path: ['rampFactor'] });
  }
  return issues;
}
