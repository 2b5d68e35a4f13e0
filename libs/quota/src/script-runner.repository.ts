import { EngineRedis } from '@libs/queueing';
import { EngineClock, scaleTime, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { LAYOUT } from './ledger-layout.policy';
import { LedgerUnavailable, unavailableReason } from './quota.errors';
import { ringShape } from './ring.policy';
import type { Script } from './scripts';

/** The clock of a host may differ from that of Redis by this much, real milliseconds. */
export const CLOCK_TOLERANCE_MS = 5_000;
/** Times as far ahead a ledger is rebuilt, which takes half a minute where batches are under way; before that it waits. */
const FAR_AHEAD = 6;

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
    const shared = [baseMs, speed, offsetMs, bucketMs, buckets, this.clock.nowMs(), this.toleranceMs];
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

  /**
   * What Redis' clock says, as engine time, and by how much this host's is ahead of it (behind: negative), real milliseconds; 0 while
   * they are as near to each other as a ledger wants them. Of a cluster the clock in the middle counts: one node may be wrong.
   * Undefined while Redis does not answer.
   */
  async compareClocks(): Promise<{ readonly aheadMs: number; readonly engineMs: number } | undefined> {
    const before = this.clock.hostMs();
    const clocks = await this.redis.clocks().catch((error: unknown) => {
      if (error instanceof Error && unavailableReason(error) !== undefined) return [];
      throw error;
    });
    const after = this.clock.hostMs();
    const redisMs = clocks.sort((a, b) => a - b)[Math.floor(clocks.length / 2)];
    if (redisMs === undefined) return undefined;
    const ahead = redisMs < before ? before - redisMs : Math.min(0, after - redisMs);
    return {
      aheadMs: Math.abs(ahead) > CLOCK_TOLERANCE_MS ? Math.round(ahead) : 0,
      engineMs: scaleTime(redisMs, this.clock.scale),
    };
  }

  /** Whether two engine times differ by more than the ledger allows clocks to. */
  areApart(oneMs: number, otherMs: number): boolean {
    return Math.abs(oneMs - otherMs) > this.toleranceMs;
  }

  /** Whether a ledger whose time that is would stand still for longer than it takes to rebuild it. */
  isFarAhead(engineMs: number): boolean {
    return engineMs - this.clock.nowMs() > this.toleranceMs * FAR_AHEAD;
  }

  /** Engine milliseconds. */
  private get toleranceMs(): number {
    return CLOCK_TOLERANCE_MS * Math.max(1, this.clock.scale.speed);
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
