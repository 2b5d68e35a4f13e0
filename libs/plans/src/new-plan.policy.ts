import {
  IN_DOUBT_POLICIES,
  isHeaderSafe,
  STREAMS,
  type InDoubtPolicy,
  type Issue,
  type PlanId,
  type Stream,
} from '@libs/kernel';
import { FREE, priceIssues, type PriceTerms } from './plan-price.policy';

/** What a tenant can buy. */
export interface Plan {
  readonly id: PlanId;
  readonly code: string;
  readonly name: string;
  readonly tier: string;
  readonly streams: readonly Stream[];
  /** Share of an account relative to other tenants on it, 1 to 1000. */
  readonly weight: number;
  /** Recipients per rolling 24 h; null = only the accounts' own quota binds. */
  readonly recipientsPerDay: bigint | null;
  /** Recipients per second, a decimal with at most three places; null = only the accounts' own rate binds. */
  readonly recipientsPerSecond: string | null;
  readonly dedicatedIps: boolean;
  /** Micro-dollars a month, by the price in force now. */
  readonly baseFeeMicro: bigint;
  /** Whole days the content of a message is kept after it was accepted. */
  readonly bodyRetentionDays: number;
  /** Whole days everything else about it is kept: states, recipients, events. */
  readonly metadataRetentionDays: number;
  /** What becomes of mail in doubt, stream by stream, unless a message says otherwise. */
  readonly transactionalInDoubt: InDoubtPolicy;
  readonly marketingInDoubt: InDoubtPolicy;
  readonly createdAt: Date;
}

/** A class of AWS accounts that plans map to. */
export interface Tier {
  readonly code: string;
  readonly name: string;
  readonly rank: number;
  /** Recipients a day that a tenant of the tier may send whatever it sent before. */
  readonly rampFloor: bigint;
  /** A day may have this many times the highest of the last seven; a decimal with at most two places. */
  readonly rampFactor: string;
}

/** What an operator asks for, with what it costs from now on; nothing in it is believed yet. */
export interface NewPlan extends Partial<PriceTerms> {
  readonly code: string;
  readonly name: string;
  readonly tier: string;
  readonly streams: readonly string[];
  readonly weight: number;
  readonly recipientsPerDay: bigint | null;
  readonly recipientsPerSecond: string | null;
  readonly dedicatedIps: boolean;
  readonly baseFeeMicro: bigint;
  readonly bodyRetentionDays?: number;
  readonly metadataRetentionDays?: number;
  readonly transactionalInDoubt?: string;
  readonly marketingInDoubt?: string;
}

/** What a plan keeps and does in doubt when its maker does not say. */
export const PLAN_DEFAULTS = {
  bodyRetentionDays: 7,
  metadataRetentionDays: 90,
  transactionalInDoubt: 'AT_LEAST_ONCE',
  marketingInDoubt: 'AT_LEAST_ONCE',
} as const;

const CODE = /^[a-z][a-z0-9_-]{0,47}$/;
/** Nine digits and three decimals: what the column numeric(12, 3) holds. */
const RATE = /^(?:0|[1-9]\d{0,8})(?:\.\d{1,3})?$/;
const MAX_BIGINT = 2n ** 63n - 1n;

/** Everything that is wrong with the plan, field by field; empty when it may be stored. */
export function planIssues(plan: NewPlan, tiers: readonly Pick<Tier, 'code'>[]): Issue[] {
  const issues: Issue[] = [];
  const refuse = (field: keyof NewPlan, message: string, ...rest: readonly string[]) => {
    issues.push({ code: 'INVALID_INPUT', message, path: [field, ...rest] });
  };

  if (!CODE.test(plan.code)) {
    refuse('code', 'Expected 1 to 48 characters: a lower-case letter, then lower-case letters, digits, "-" or "_".');
  }
  if (plan.name.trim() === '' || plan.name.length > 120 || !isHeaderSafe(plan.name)) {
    refuse('name', 'Expected 1 to 120 printable characters.');
  }
  if (!tiers.some((tier) => tier.code === plan.tier)) {
    const known = tiers.map((tier) => tier.code).join(', ');
    refuse('tier', `There is no tier ${JSON.stringify(plan.tier.slice(0, 64))}. Tiers: ${known}.`);
  }
  if (plan.streams.length === 0) refuse('streams', `Expected at least one of ${STREAMS.join(', ')}.`);
  plan.streams.forEach((stream, index) => {
    if (!isStream(stream)) refuse('streams', `Expected one of ${STREAMS.join(', ')}.`, String(index));
    else if (plan.streams.indexOf(stream) < index) refuse('streams', `${stream} is listed twice.`, String(index));
  });
  if (!Number.isInteger(plan.weight) || plan.weight < 1 || plan.weight > 1000) {
    refuse('weight', 'Expected a whole number from 1 to 1000.');
  }
  if (plan.recipientsPerDay !== null && (plan.recipientsPerDay < 1n || plan.recipientsPerDay > MAX_BIGINT)) {
    refuse('recipientsPerDay', 'Expected at least 1, or null for no limit of the plan.');
  }
  if (plan.recipientsPerSecond !== null && (!RATE.test(plan.recipientsPerSecond) || isZero(plan.recipientsPerSecond))) {
    refuse(
      'recipientsPerSecond',
      'Expected a decimal above 0 with at most nine digits and three decimals, such as "14" or "0.5", or null for no limit.',
    );
  }
  issues.push(...priceIssues({ ...FREE, ...plan }), ...retentionIssues(plan), ...inDoubtIssues(plan));
  return issues;
}

function retentionIssues(plan: NewPlan): Issue[] {
  const { bodyRetentionDays: body, metadataRetentionDays: metadata } = { ...PLAN_DEFAULTS, ...plan };
  const issues: Issue[] = [];
  if (!isDays(body, 1, 400)) issues.push(invalid('bodyRetentionDays', 'Expected whole days from 1 to 400.'));
  if (!isDays(metadata, 3, 800)) issues.push(invalid('metadataRetentionDays', 'Expected whole days from 3 to 800.'));
  if (issues.length === 0 && body > metadata) {
    const message = `Content cannot be kept longer than the rest of a message: expected at most ${String(metadata)} days, as metadataRetentionDays says.`;
    issues.push(invalid('bodyRetentionDays', message));
  }
  return issues;
}

function inDoubtIssues(plan: NewPlan): Issue[] {
  return (['transactionalInDoubt', 'marketingInDoubt'] as const)
    .filter((field) => plan[field] !== undefined && !isInDoubtPolicy(plan[field]))
    .map((field) => invalid(field, `Expected one of ${IN_DOUBT_POLICIES.join(', ')}.`));
}

function invalid(field: keyof NewPlan, message: string): Issue {
  return { code: 'INVALID_INPUT', message, path: [field] };
}

function isDays(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

export function isInDoubtPolicy(text: string): text is InDoubtPolicy {
  return (IN_DOUBT_POLICIES as readonly string[]).includes(text);
}

export function isStream(text: string): text is Stream {
  return (STREAMS as readonly string[]).includes(text);
}

function isZero(decimal: string): boolean {
  return /^[0.]*$/.test(decimal);
}
