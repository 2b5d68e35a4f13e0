import { setMaxListeners } from 'node:events';
import type { SendingAccount } from '@libs/fleet';
import { EngineClock, newId, Timers, type BatchId, type SendingAccountId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { JobQueue } from '@libs/queueing';
import { Ledger, parseRate, sliceMs, type Grant, type Refusal } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { dispatchBulk, dispatchTransactional } from './dispatch.jobs';
import { EngineAccounts } from './engine-accounts.service';
import { EngineGate } from './engine-gate';
import { EngineSettings } from './engine.settings';
import { Failpoints } from './failpoints';
import { restAfter } from './pump.policy';

/** Recipients a ticket holds at most: one claim's transaction stays short. */
const WANT = 100;
const LOCK_MS = 2_000;
const ELSEWHERE_MS = 250;
const FAILED_MS = 500;

/**
 * Asks the ledger for each account, again and again, and turns grants into tickets. Any process may pump any account; the
 * lock only saves calls.
 */
@Injectable()
export class Pump {
  private readonly running = new Map<SendingAccountId, Promise<void>>();
  private readonly stopped = new AbortController();

  constructor(
    private readonly accounts: EngineAccounts,
    private readonly ledger: Ledger,
    private readonly queue: JobQueue,
    private readonly gate: EngineGate,
    private readonly clock: EngineClock,
    private readonly timers: Timers,
    private readonly settings: EngineSettings,
    private readonly failpoints: Failpoints,
    private readonly log: Log,
  ) {
    // One listener per account on one signal is meant, not a leak.
    setMaxListeners(0, this.stopped.signal);
  }

  /** Starts a pump for every account that has none yet. Called by a tick. */
  async tend(): Promise<void> {
    if (this.stopped.signal.aborted) return;
    for (const { id } of await this.accounts.all()) {
      if (!this.running.has(id)) this.running.set(id, this.run(id));
    }
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.running.values());
  }

  private async run(id: SendingAccountId): Promise<void> {
    while (!this.stopped.signal.aborted) {
      let rest = FAILED_MS;
      try {
        rest = await this.once(id);
      } catch (error) {
        this.log.warn('the pump could not ask the ledger', { sendingAccount: id, error });
      }
      await this.timers.sleep(rest, this.stopped.signal);
    }
  }

  /** One question to the ledger. Answers how long to rest, milliseconds of real time. */
  private async once(id: SendingAccountId): Promise<number> {
    const account = await this.accounts.find(id);
    if (!account || !this.gate.isOpen) return ELSEWHERE_MS;
    if (!(await this.ledger.hold(id, 'pump', this.settings.worker, LOCK_MS))) return ELSEWHERE_MS;
    const rate = parseRate(account.maxSendRate);
    const slice = sliceMs(rate);
    const batchId = newId<BatchId>();
    const reply = await this.acquire(account, batchId, slice);
    if (reply.kind === 'grant') {
      this.failpoints.reach('after-acquire');
      await this.hand(account, batchId, reply);
      this.failpoints.reach('after-enqueue');
    }
    return Math.max(1, restAfter(reply, slice) / this.clock.scale.speed);
  }

  /** A reply that was lost is asked for once more under the same id, so that it is not charged twice. */
  private async acquire(account: SendingAccount, opId: BatchId, slice: number): Promise<Grant | Refusal> {
    const request = {
      opId,
      epoch: account.epoch,
      want: WANT,
      leadMs: this.settings.leadMs * this.clock.scale.speed,
      sliceMs: slice,
      workers: this.settings.workers,
    };
    try {
      return await this.ledger.acquire(account.id, request);
    } catch {
      return this.ledger.acquire(account.id, request);
    }
  }

  private async hand(account: SendingAccount, batchId: BatchId, grant: Grant): Promise<void> {
    const urgent = grant.messages.some((message) => message.stream === 'TRANSACTIONAL');
    await this.queue.enqueue(urgent ? dispatchTransactional : dispatchBulk, {
      batchId,
      sendingAccountId: account.id,
      epoch: String(account.epoch),
      bucketStartMs: grant.bucketStartMs,
      slotStartMs: grant.slotStartMs,
      deadlineMs: grant.deadlineMs,
      granted: grant.recipients,
      rate: grant.rate,
      messages: grant.messages.map(({ tenantId, id, recipients }) => ({ tenantId, id, recipients })),
    });
  }
}
