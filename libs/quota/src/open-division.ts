import type { SendingAccountId, TenantId } from '@libs/kernel';
import { divideCap, divideRate, type Demand } from './lease.policy';
import type { LeaseTaken, TenantLease } from './ledger-reply.policy';
import type { Fraction } from './pacing.policy';

/** Where a tenant's mail goes, and how much of it waits there, in recipients. */
export interface LeasedAccount {
  readonly sendingAccountId: SendingAccountId;
  readonly waiting: number;
  /**
   * Given for one that the tenant has left: what was used there, in recipients, asked for where the account has no ledger. Nothing
   * is granted there, so the others need not wait for it.
   */
  readonly usedBefore?: () => Promise<number>;
}

/** A tenant whose limits are divided over several accounts. */
export interface Division {
  readonly tenant: TenantId;
  /** dayCap: recipients per rolling 24 h; null = no cap. */
  readonly limits: { readonly dayCap: bigint | null; readonly rate: Fraction | null };
  readonly accounts: readonly LeasedAccount[];
}

/** A tenant's part of them on one account. */
export interface Part {
  readonly dayCap: number | null;
  readonly rate: Fraction | null;
}

/** What is asked of an account's ledger for a division: without a part, that the lease is taken over. */
export interface Step {
  readonly account: SendingAccountId;
  readonly tenant: TenantId;
  readonly part?: Part;
  readonly told: (lease: TenantLease | LeaseTaken) => void;
  readonly failed: (error: unknown) => void;
}

interface Taken extends Demand {
  readonly account: SendingAccountId;
  readonly cap: number;
}

interface Wanted extends Taken {
  readonly part: Part;
}

/** A division under way, step by step: what is asked next follows from what was answered. */
export class OpenDivision {
  /** Why it has ended early; undefined while it has not. */
  ended: LeaseTaken | { readonly error: unknown } | undefined;
  private readonly taken: Taken[] = [];
  /** Accounts that were left. */
  private readonly left: Taken[] = [];
  private readonly withoutLedger: LeasedAccount[] = [];
  private usedBefore = 0;
  private wanted: Wanted[] = [];
  private missing = 0;

  constructor(private readonly division: Division) {}

  /** From here on nobody who began earlier can raise a part. */
  takes(): Step[] {
    return this.division.accounts.map((account) =>
      this.step(account.sendingAccountId, undefined, (lease) => {
        this.take(account, lease);
      }),
    );
  }

  private take(of: LeasedAccount, lease: TenantLease | LeaseTaken): void {
    const { sendingAccountId: account, waiting, usedBefore } = of;
    if (!isTaken(lease)) (usedBefore ? this.left : this.taken).push({ account, waiting, ...lease });
    else if (usedBefore && lease.generation === 0) this.withoutLedger.push(of);
    else this.ended ??= lease;
  }

  async lookBack(): Promise<void> {
    try {
      for (const { usedBefore } of this.ended ? [] : this.withoutLedger) this.usedBefore += (await usedBefore?.()) ?? 0;
    } catch (error) {
      this.ended = { error };
    }
  }

  /** Lowered first: what was granted in the meantime is missing from what the others may get. */
  lowers(): Step[] {
    if (this.ended) return [];
    this.wanted = this.divided();
    return this.wanted.filter(isLower).map(({ account, used, part }) =>
      this.step(account, part, (lease) => {
        if (isTaken(lease)) this.ended ??= lease;
        else this.missing += Math.max(0, lease.used - Math.max(used, part.dayCap ?? 0));
      }),
    );
  }

  raises(): Step[] {
    if (this.ended) return [];
    return this.wanted
      .filter((one) => !isLower(one))
      .map(({ account, cap, part: { dayCap, rate } }) => {
        const less = dayCap === null ? 0 : Math.min(this.missing, Math.max(0, dayCap - Math.max(0, cap)));
        this.missing -= less;
        return this.step(account, { dayCap: dayCap === null ? null : dayCap - less, rate }, (lease) => {
          if (isTaken(lease)) this.ended ??= lease;
        });
      });
  }

  private divided(): Wanted[] {
    const { dayCap, rate } = this.division.limits;
    const before = this.left.reduce((sum, { used }) => sum + used, this.usedBefore);
    const caps = dayCap === null ? undefined : divideCap(Math.max(0, Number(dayCap) - before), this.taken);
    const rates = rate === null ? undefined : divideRate(rate, this.taken);
    return [
      // An account that was left has no part: a tenant that comes back to it must not find one from back then.
      ...this.left.map((one) => ({ ...one, part: { dayCap: 0, rate: null } })),
      ...this.taken.map((one, i) => ({ ...one, part: { dayCap: caps?.[i] ?? null, rate: rates?.[i] ?? null } })),
    ];
  }

  private step(account: SendingAccountId, part: Part | undefined, told: Step['told']): Step {
    const failed = (error: unknown) => {
      this.ended ??= { error };
    };
    return { account, tenant: this.division.tenant, ...(part && { part }), told, failed };
  }
}

function isLower({ cap, part: { dayCap } }: Wanted): boolean {
  return dayCap !== null && (cap < 0 || dayCap < cap);
}

function isTaken(lease: object): lease is LeaseTaken {
  return 'generation' in lease;
}
