import { EngineClock, type SendingAccountId, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { divideCap, divideRate, type Demand } from './lease.policy';
import type { LeaseTaken } from './ledger-reply.policy';
import { Ledger } from './ledger.service';
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

interface Taken extends Demand {
  readonly account: SendingAccountId;
  readonly cap: number;
}

/**
 * Divides the limits of a tenant that sends through several accounts among them, so that one grant touches one account
 * only. To be called every few seconds for such tenants, whose offers say `leased`: by the feeder, which knows both.
 */
@Injectable()
export class TenantLeases {
  private last = 0;

  constructor(
    private readonly ledger: Ledger,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Answers false when nothing was raised: another process divides, or an account did not answer. What was lowered
   * stays lowered, so that the parts are never more than the cap together; the next division mends it.
   * @param dayCap recipients per rolling 24 h; null = no cap
   * @throws LedgerUnavailable
   */
  async divide(
    tenant: TenantId,
    limits: { readonly dayCap: bigint | null; readonly rate: Fraction | null },
    accounts: readonly LeasedAccount[],
  ): Promise<boolean> {
    this.last = Math.max(this.last + 1, this.clock.nowMs());
    const generation = this.last;
    const taken: Taken[] = [];
    const left: Taken[] = [];
    let before = 0;
    for (const { sendingAccountId: account, waiting, usedBefore } of accounts) {
      // From here on nobody who began earlier can raise this part.
      const lease = await this.ledger.lease(account, tenant, generation);
      if (!isTaken(lease)) (usedBefore ? left : taken).push({ account, waiting, ...lease });
      else if (usedBefore && lease.generation === 0) before += await usedBefore();
      else return this.giveWay(lease);
    }
    before += left.reduce((sum, { used }) => sum + used, 0);
    const caps = limits.dayCap === null ? undefined : divideCap(Math.max(0, Number(limits.dayCap) - before), taken);
    const rates = limits.rate === null ? undefined : divideRate(limits.rate, taken);
    const wanted = taken.map((one, i) => ({ ...one, dayCap: caps?.[i] ?? null, rate: rates?.[i] ?? null }));
    // An account that was left has no part: a tenant that comes back to it must not find one from back then.
    const none = left.map((one) => ({ ...one, dayCap: 0, rate: null }));
    const isLower = (one: (typeof wanted)[number]) => one.dayCap !== null && (one.cap < 0 || one.dayCap < one.cap);
    // Lowered first: what was granted in the meantime is missing from what the others may get.
    let missing = 0;
    for (const one of [...none, ...wanted].filter(isLower)) {
      const lease = await this.ledger.lease(one.account, tenant, generation, one);
      if (isTaken(lease)) return this.giveWay(lease);
      missing += Math.max(0, lease.used - Math.max(one.used, one.dayCap ?? 0));
    }
    for (const one of wanted.filter((each) => !isLower(each))) {
      const less = one.dayCap === null ? 0 : Math.min(missing, Math.max(0, one.dayCap - Math.max(0, one.cap)));
      missing -= less;
      const dayCap = one.dayCap === null ? null : one.dayCap - less;
      const lease = await this.ledger.lease(one.account, tenant, generation, { dayCap, rate: one.rate });
      if (isTaken(lease)) return this.giveWay(lease);
    }
    return true;
  }

  /** The next division here is newer, also than one whose clock was wrong. */
  private giveWay({ generation }: LeaseTaken): false {
    this.last = Math.max(this.last, generation);
    return false;
  }
}

function isTaken(lease: object): lease is LeaseTaken {
  return 'generation' in lease;
}
