import { isHeaderSafe, type Issue, type PlanId } from '@libs/kernel';

/** A price for recipients above the included ones: `amountMicro` micro-dollars for `perUnits`, from the `from`-th on. */
export interface PriceTier {
  readonly from: bigint;
  /** Negative is a rebate for volume. */
  readonly amountMicro: bigint;
  readonly perUnits: bigint;
}

/** What a plan costs its tenants in a calendar month. */
export interface PriceTerms {
  /** Micro-dollars. */
  readonly baseFeeMicro: bigint;
  readonly includedRecipients: bigint;
  /** Marginal, lowest first, the first from 0; none: recipients above the included ones cost nothing. */
  readonly overage: readonly PriceTier[];
  /** Micro-dollars for one dedicated IP of its own for the whole month. */
  readonly dedicatedIpFeeMicro: bigint;
  /** What the month costs at least, in micro-dollars. */
  readonly minimumMicro: bigint;
  /** A promise: more usage never lowers the price. */
  readonly monotone: boolean;
}

/** A version of a plan's price: in force from `validFrom` until before `validTo`. It is never changed, only ended. */
export interface PlanPrice extends PriceTerms {
  readonly id: bigint;
  readonly planId: PlanId;
  readonly validFrom: Date;
  /** Null while no next version is published. */
  readonly validTo: Date | null;
  /** Who or what says so. */
  readonly source: string;
}

/** What an operator publishes. */
export interface NewPlanPrice extends PriceTerms {
  readonly validFrom: Date;
  readonly source: string;
}

/** A plan that costs nothing, whatever is sent. */
export const FREE: PriceTerms = {
  baseFeeMicro: 0n,
  includedRecipients: 0n,
  overage: [],
  dedicatedIpFeeMicro: 0n,
  minimumMicro: 0n,
  monotone: true,
};

/** A million dollars for one unit of anything: above it somebody has mistaken the unit. */
const MAX_AMOUNT = 10n ** 12n;
const MAX_COUNT = 10n ** 15n;
const MAX_TIERS = 20;

/** Everything that is wrong with the terms, field by field; empty when they may be published. */
export function priceIssues(terms: PriceTerms): Issue[] {
  const issues: Issue[] = [];
  const refuse = (message: string, ...path: string[]) => issues.push({ code: 'INVALID_INPUT', message, path });

  for (const field of ['baseFeeMicro', 'dedicatedIpFeeMicro', 'minimumMicro'] as const) {
    if (terms[field] < 0n || terms[field] > MAX_AMOUNT) refuse('Expected 0 to 1,000,000 dollars.', field);
  }
  if (terms.includedRecipients < 0n || terms.includedRecipients > MAX_COUNT) {
    refuse('Expected 0 to 10^15 recipients.', 'includedRecipients');
  }
  if (terms.overage.length > MAX_TIERS) refuse(`Expected at most ${MAX_TIERS} tiers.`, 'overage');
  terms.overage.forEach((tier, index) => {
    const at = ['overage', String(index)];
    const before = terms.overage[index - 1];
    if (before === undefined && tier.from !== 0n) refuse('The first tier begins at 0.', ...at, 'from');
    if (tier.from > MAX_COUNT) refuse('Expected at most 10^15 recipients.', ...at, 'from');
    if (before !== undefined && tier.from <= before.from) {
      refuse(`Expected more than ${before.from}, where the tier before begins.`, ...at, 'from');
    }
    if (tier.perUnits < 1n || tier.perUnits > MAX_COUNT) refuse('Expected 1 to 10^15 recipients.', ...at, 'perUnits');
    if (tier.amountMicro > MAX_AMOUNT || tier.amountMicro < -MAX_AMOUNT) {
      refuse('Expected at most 1,000,000 dollars.', ...at, 'amountMicro');
    } else if (tier.amountMicro < 0n && terms.monotone) {
      refuse('A price that more usage never lowers has no negative tier.', ...at, 'amountMicro');
    }
  });
  return issues;
}

export function sourceIssues(source: string): Issue[] {
  if (source.trim() !== '' && source.length <= 200 && isHeaderSafe(source)) return [];
  return [{ code: 'INVALID_INPUT', message: 'Expected 1 to 200 printable characters.', path: ['source'] }];
}

/** What is wrong with a new version beside those that are published: it begins after all of them, and not in the past. */
export function successionIssues(validFrom: Date, latest: PlanPrice | undefined, now: Date): Issue[] {
  const refuse = (message: string): Issue[] => [{ code: 'INVALID_INPUT', message, path: ['validFrom'] }];
  if (Number.isNaN(validFrom.getTime())) return refuse('Expected a time.');
  if (validFrom < now) return refuse('Expected a time that has not passed: what was used has its price already.');
  if (latest && validFrom <= latest.validFrom) {
    const began = latest.validFrom.toISOString();
    return [
      {
        code: 'CONFLICT',
        message: `A price from ${began} on is published already: begin after it.`,
        path: ['validFrom'],
      },
    ];
  }
  return [];
}
