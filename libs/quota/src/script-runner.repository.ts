import { createHash } from 'node:crypto';
import { EngineRedis } from '@libs/queueing';
import { EngineClock, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { ringShape } from './ring.policy';

/** A Lua script and the digest Redis knows it by. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

type Argument = string | number;

/** Runs the ledger's scripts: sends the digest, and the text once when Redis does not know it (restart, SCRIPT FLUSH). */
@Injectable()
export class ScriptRunner {
  private currentRunId: string | undefined;

  constructor(
    private readonly redis: EngineRedis,
    private readonly clock: EngineClock,
  ) {
    // Another server may answer after a reconnect: what was known about the last one is void.
    redis.on('close', () => {
      this.currentRunId = undefined;
    });
  }

  /**
   * @param callerNowMs engine time as this process sees it, or 0 when the script need not compare
   */
  async run(
    account: SendingAccountId,
    { text, sha }: Script,
    callerNowMs: number,
    args: readonly Argument[],
  ): Promise<unknown> {
    const { baseMs, speed, offsetMs } = this.clock.scale;
    const { bucketMs, buckets } = ringShape(speed);
    const all = [baseMs, speed, offsetMs, bucketMs, buckets, callerNowMs, ...args];
    const key = `pf:{${account}}:led`;
    try {
      return await this.redis.evalsha(sha, 1, key, ...all);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.redis.eval(text, 1, key, ...all);
    }
  }

  /** The run id of the server this connection talks to; asked once per connection. */
  async runId(): Promise<string> {
    if (this.currentRunId !== undefined) return this.currentRunId;
    const info = await this.redis.info('server');
    const found = /^run_id:(\S+)/m.exec(info)?.[1];
    if (found === undefined) throw new Error('Redis did not tell its run_id: the ledger needs the INFO command.');
    this.currentRunId = found;
    return found;
  }
}
