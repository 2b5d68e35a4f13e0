import { EngineClock, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { Ledger } from './ledger.service';
import { OpenDivision, type Division, type Step } from './open-division';

/**
 * What became of a division: false when nothing was raised, because another process divides or an account has no ledger, or what
 * went wrong. What was lowered stays lowered, so that the parts are never more than the cap together; the next division
 * mends it.
 */
export type Divided = boolean | { readonly error: unknown };

/**
 * Divides the limits of tenants that send through several accounts among them, so that one grant touches one account
 * only. To be called every few seconds for such tenants, whose offers say `leased`: by the feeder, which knows both.
 */
@Injectable()
export class TenantLeases {
  private last = 0;

  constructor(
    private readonly ledger: Ledger,
    private readonly clock: EngineClock,
  ) {}

  /** Each ledger is asked for many tenants at once, so that thousands take no longer than a few questions. Answers in their order. */
  async divide(divisions: readonly Division[]): Promise<Divided[]> {
    this.last = Math.max(this.last + 1, this.clock.nowMs());
    const generation = this.last;
    const all = divisions.map((division) => new OpenDivision(division));
    await this.take(
      generation,
      all.flatMap((one) => one.takes()),
    );
    for (const one of all) await one.lookBack();
    await this.take(
      generation,
      all.flatMap((one) => one.lowers()),
    );
    await this.take(
      generation,
      all.flatMap((one) => one.raises()),
    );
    return all.map(({ ended }) => this.readEnd(ended));
  }

  private async take(generation: number, steps: readonly Step[]): Promise<void> {
    const perAccount = new Map<SendingAccountId, Step[]>();
    for (const step of steps) {
      const own = perAccount.get(step.account);
      if (own) own.push(step);
      else perAccount.set(step.account, [step]);
    }
    await Promise.all([...perAccount].map(([account, own]) => this.ask(account, generation, own)));
  }

  /** One account that does not answer keeps no tenant of others from being divided. */
  private async ask(account: SendingAccountId, generation: number, steps: readonly Step[]): Promise<void> {
    try {
      const leases = await this.ledger.leases(account, generation, steps);
      for (const [i, step] of steps.entries()) {
        const lease = leases[i];
        if (lease) step.told(lease);
      }
    } catch (error) {
      for (const step of steps) step.failed(error);
    }
  }

  private readEnd(ended: OpenDivision['ended']): Divided {
    if (ended === undefined) return true;
    if ('error' in ended) return ended;
    // The next division here is newer, also than one whose clock was wrong.
    this.last = Math.max(this.last, ended.generation);
    return false;
  }
}
