import type { EngineClock, SendingAccountId } from '@libs/kernel';
import { readHold } from './ledger-reply.policy';
import type { LedgerTime } from './ledger-time';
import type { ScriptRunner } from './script-runner.repository';
import { SCRIPTS } from './scripts';

export type AccountLock = 'pump' | 'feed' | 'rebuild';

/** Locks of an account in Redis that save double work; never a condition of safety. */
export class AccountLocks {
  /** When those that are held were last asked for, engine time. */
  private readonly held = new Map<string, number>();
  private readonly renewing = new Set<string>();

  constructor(
    private readonly scripts: ScriptRunner,
    private readonly clock: EngineClock,
    private readonly time: LedgerTime,
  ) {}

  /**
   * Takes a lock or keeps it. Redis is asked once per half of its life, and who has it for certain does not wait for the answer:
   * its next question goes to Redis in the same breath.
   * @param lifeMs real milliseconds
   */
  async hold(account: SendingAccountId, what: AccountLock, holder: string, lifeMs: number): Promise<boolean> {
    const key = `${account} ${what} ${holder}`;
    const askedAt = this.held.get(key) ?? Number.POSITIVE_INFINITY;
    const heldFor = (this.clock.nowMs() - askedAt) / this.clock.scale.speed;
    // A clock that was set back proves nothing.
    if (heldFor < 0 || heldFor >= lifeMs) return this.ask(account, what, holder, lifeMs);
    if (heldFor >= lifeMs / 2 && !this.renewing.has(key)) {
      this.renewing.add(key);
      void this.ask(account, what, holder, lifeMs)
        .catch(() => this.held.delete(key))
        .finally(() => this.renewing.delete(key));
    }
    return true;
  }

  private async ask(account: SendingAccountId, what: AccountLock, holder: string, lifeMs: number): Promise<boolean> {
    const key = `${account} ${what} ${holder}`;
    const [now, asked] = [this.clock.nowMs(), this.time.ownMs()];
    const { has, nowMs } = readHold(await this.scripts.run(account, SCRIPTS.hold, [what, holder, lifeMs]));
    // Who does not ask for grants learns the time here, or its slots would be those of a clock of its own.
    if (nowMs !== undefined) this.time.learn(asked, nowMs);
    if (has) this.held.set(key, now);
    else this.held.delete(key);
    return has;
  }
}
