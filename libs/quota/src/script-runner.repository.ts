import { EngineRedis } from '@libs/queueing';
import { EngineClock, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { LedgerUnavailable, unavailableReason } from './quota.errors';
import { ringShape } from './ring.policy';
import type { Script } from './scripts';

/** The clocks of this host and of Redis may differ by this much, real milliseconds. */
const CLOCK_TOLERANCE_MS = 5_000;
/** How the ledger's keys are laid out; another number makes every ledger stale, so that it is rebuilt. */
const LAYOUT = 3;

type Argument = string | number;

const keyOf = (account: SendingAccountId) => `pf:{${account}}:led`;

/** Runs the ledger's scripts on the server that holds the account. */
@Injectable()
export class ScriptRunner {
  private readonly runs = new Map<SendingAccountId, string>();

  constructor(
    private readonly redis: EngineRedis,
    private readonly clock: EngineClock,
  ) {
    // Another server may answer after this: what was known about the last one is void.
    redis.onChange(() => {
      this.forgetRunIds();
    });
  }

  /** @throws LedgerUnavailable when Redis cannot serve it now */
  async run(account: SendingAccountId, script: Script, args: readonly Argument[]): Promise<unknown> {
    const { baseMs, speed, offsetMs } = this.clock.scale;
    const { bucketMs, buckets } = ringShape(speed);
    const tolerance = CLOCK_TOLERANCE_MS * Math.max(1, speed);
    const shared = [baseMs, speed, offsetMs, bucketMs, buckets, this.clock.nowMs(), tolerance];
    return this.available(account, () => this.redis.run(script, keyOf(account), [...shared, ...args]));
  }

  /**
   * Names the run of the server that holds the account, and the shape of the ledger there. Kept until a connection is
   * lost, the nodes of a cluster change, a ledger turns out stale, or somebody wants it asked anew.
   * @throws LedgerUnavailable
   */
  async runId(account: SendingAccountId): Promise<string> {
    const { buckets } = ringShape(this.clock.scale.speed);
    const known = this.runs.get(account);
    if (known !== undefined) return `${known}/${String(LAYOUT)}/${String(buckets)}`;
    const run = await this.available(account, () => this.redis.runOf(keyOf(account)));
    this.runs.set(account, run);
    return `${run}/${String(LAYOUT)}/${String(buckets)}`;
  }

  /** The next question for the run asks the server. */
  forgetRunId(account: SendingAccountId): void {
    this.runs.delete(account);
  }

  /** The same for all accounts. */
  forgetRunIds(): void {
    this.runs.clear();
  }

  /** @throws LedgerUnavailable */
  fields(account: SendingAccountId, ...names: string[]): Promise<(string | null)[]> {
    return this.available(account, () => this.redis.hmget(keyOf(account), ...names));
  }

  private async available<Reply>(account: SendingAccountId, ask: () => Promise<Reply>): Promise<Reply> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const reason = unavailableReason(error);
      throw reason === undefined ? error : new LedgerUnavailable(reason, account, error);
    }
  }
}
