import { EngineRedis } from '@libs/queueing';
import { EngineClock, type SendingAccountId, type Stream, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type {
  AcquireRequest,
  Grant,
  LedgerStats,
  QueuedMessage,
  Refund,
  Refusal,
  SlotOffer,
  TenantLimits,
} from './grant';
import { CLASS_OF, readAcquire, readOverdue, readSlot, readStats, type OverdueGrant } from './ledger-reply.policy';
import { pacedRate, type Fraction } from './pacing.policy';
import { bucketOf } from './ring.policy';
import { script, ScriptRunner } from './script-runner.repository';
import {
  CHARGE_TENANT,
  FREEZE,
  HOLD,
  OBSERVE,
  OPEN,
  OVERDUE,
  REBUILD,
  RESLOT,
  SETTLE,
  STATS,
} from './scripts/account.lua';
import { ACQUIRE } from './scripts/acquire.lua';
import { DROP, OFFER } from './scripts/queue.lua';

const SCRIPTS = {
  acquire: script(ACQUIRE),
  settle: script(SETTLE),
  reslot: script(RESLOT),
  observe: script(OBSERVE),
  freeze: script(FREEZE),
  rebuild: script(REBUILD),
  chargeTenant: script(CHARGE_TENANT),
  open: script(OPEN),
  stats: script(STATS),
  overdue: script(OVERDUE),
  offer: script(OFFER),
  drop: script(DROP),
  hold: script(HOLD),
};

/** After the end of its slots a grant may still be used for this long, milliseconds. */
const SLOT_LIFE_MS = 5_000;
/** A late batch may be given a new slot until this long after its grant; the ring's guard counts on it. */
const OLDEST_RESLOT_MS = 60_000;
/** What SES refused stays charged this long. */
const KEEP_REFUSED_MS = 60_000;
/** The host's clock may differ from Redis' by this much. */
const CLOCK_TOLERANCE_MS = 5_000;
/** Ready messages a tenant may have in Redis per account and stream; the rest waits in PostgreSQL. */
export const READY_WINDOW = 1_000;
const OFFER_CHUNK = 500;

/** What SES allows an account, as observed. */
export interface ObservedLimits {
  /** Recipients per rolling 24 h; -1 = unlimited (aws-facts 3). */
  readonly quota: bigint;
  /** Recipients per second. */
  readonly rate: Fraction;
  /** Recipients SES has counted in the last 24 h. */
  readonly sesSent: bigint;
}

/** What was used before a rebuild, per minute. */
export interface UsedMinute {
  readonly startMs: number;
  readonly recipients: bigint;
}

/**
 * The quota of every sending account: who may send how much, when, and in which order. Every method is one script on
 * one account; anything but a live, current ledger grants nothing.
 */
@Injectable()
export class Ledger {
  private skew = 0;

  constructor(
    private readonly scripts: ScriptRunner,
    private readonly redis: EngineRedis,
    private readonly clock: EngineClock,
  ) {}

  /** Engine time of the ledger as this process estimates it: what slots and deadlines are compared with. */
  nowMs(): number {
    return this.clock.nowMs() + this.skew;
  }

  async acquire(account: SendingAccountId, request: AcquireRequest): Promise<Grant | Refusal> {
    const asked = this.clock.nowMs();
    const reply = readAcquire(
      await this.scripts.run(account, SCRIPTS.acquire, asked, [
        request.opId,
        String(request.epoch),
        await this.scripts.runId(),
        request.want,
        request.leadMs,
        request.sliceMs,
        request.workers,
        SLOT_LIFE_MS,
        CLOCK_TOLERANCE_MS * Math.max(1, this.clock.scale.speed),
      ]),
    );
    // The script ran between the question and the answer: the answer's time is never later than now.
    if (reply.kind !== 'stale')
      this.skew = Math.max(reply.nowMs - this.clock.nowMs(), Math.min(this.skew, reply.nowMs - asked));
    return reply;
  }

  /** Ends a grant, once; repeating it changes nothing. Answers whether it was still open. */
  async settle(account: SendingAccountId, opId: string, refunds: readonly Refund[]): Promise<boolean> {
    const triples = refunds.flatMap((refund) => [refund.tenantId, refund.unused, refund.refused]);
    return (await this.scripts.run(account, SCRIPTS.settle, 0, [opId, KEEP_REFUSED_MS, ...triples])) === 1;
  }

  /** A new slot for what is left of a late batch, or undefined: then it must be given back. */
  async reslot(
    account: SendingAccountId,
    opId: string,
    epoch: bigint,
    recipients: number,
  ): Promise<SlotOffer | undefined> {
    const runId = await this.scripts.runId();
    return readSlot(
      await this.scripts.run(account, SCRIPTS.reslot, 0, [
        opId,
        String(epoch),
        runId,
        recipients,
        SLOT_LIFE_MS,
        OLDEST_RESLOT_MS,
      ]),
    );
  }

  /** Takes over what GetAccount said. Answers what is charged and what others sent, or undefined for another epoch. */
  async observe(
    account: SendingAccountId,
    epoch: bigint,
    limits: ObservedLimits,
  ): Promise<{ used: bigint; foreign: bigint } | undefined> {
    const rate = pacedRate(limits.rate);
    const reply = await this.scripts.run(account, SCRIPTS.observe, 0, [
      String(epoch),
      String(limits.quota),
      rate.num,
      rate.den,
      String(limits.sesSent),
    ]);
    const [kind, used, foreign] = reply as string[];
    return kind === 'OK' ? { used: BigInt(used ?? 0), foreign: BigInt(foreign ?? 0) } : undefined;
  }

  /** Nothing is granted until then; a shorter freeze never shortens a longer one. */
  async freeze(account: SendingAccountId, untilMs: number): Promise<void> {
    await this.scripts.run(account, SCRIPTS.freeze, 0, [Math.ceil(untilMs), 0]);
  }

  async unfreeze(account: SendingAccountId): Promise<void> {
    await this.scripts.run(account, SCRIPTS.freeze, 0, [0, 1]);
  }

  /**
   * Replaces the ledger by what PostgreSQL and SES know, then opens it. Answers false when a newer epoch came first.
   * @param quiet recipients granted lately: the rate clock pauses for as long as their slots could still run
   */
  async rebuild(
    account: SendingAccountId,
    epoch: bigint,
    limits: ObservedLimits,
    used: readonly UsedMinute[],
    tenants: ReadonlyMap<TenantId, readonly UsedMinute[]>,
    quiet: number,
  ): Promise<boolean> {
    const rate = pacedRate(limits.rate);
    const pauseUs = 1_000_000 + (rate.num > 0 ? Math.ceil((quiet * 1_000_000 * rate.den) / rate.num) : 0);
    const replaced = await this.scripts.run(account, SCRIPTS.rebuild, 0, [
      String(epoch),
      await this.scripts.runId(),
      String(limits.quota),
      rate.num,
      rate.den,
      String(limits.sesSent),
      pauseUs,
      ...pairs(used),
    ]);
    if (replaced !== 1) return false;
    for (const [tenant, minutes] of tenants) {
      await this.scripts.run(account, SCRIPTS.chargeTenant, 0, [String(epoch), tenant, ...pairs(minutes)]);
    }
    return (await this.scripts.run(account, SCRIPTS.open, 0, [String(epoch)])) === 1;
  }

  /** True when the ledger of that epoch lives on the Redis this process talks to. */
  async isCurrent(account: SendingAccountId, epoch: bigint): Promise<boolean> {
    const [found, runId] = await this.redis.hmget(`pf:{${account}}:led`, 'epoch', 'runid');
    return found === String(epoch) && runId === (await this.scripts.runId());
  }

  /**
   * Queues READY messages, oldest first, and takes over the tenant's limits, with no message too. A hint: losing it
   * costs delay only. Answers how many were new and fitted into the window.
   */
  async offer(
    account: SendingAccountId,
    tenant: TenantId,
    stream: Stream,
    limits: TenantLimits,
    messages: readonly QueuedMessage[],
  ): Promise<number> {
    let queued = 0;
    for (let i = 0; i === 0 || i < messages.length; i += OFFER_CHUNK) {
      const reply = await this.scripts.run(account, SCRIPTS.offer, 0, [
        CLASS_OF[stream],
        tenant,
        limits.weight,
        limits.dayCap === null ? -1 : String(limits.dayCap),
        limits.rate?.num ?? 0,
        limits.rate?.den ?? 1,
        READY_WINDOW,
        ...messages.slice(i, i + OFFER_CHUNK).map((message) => `${message.id}:${String(message.recipients)}`),
      ]);
      queued += Number(reply);
    }
    return queued;
  }

  /** Empties a tenant's ready list on an account it left or may not use. */
  async drop(account: SendingAccountId, tenant: TenantId, stream: Stream): Promise<number> {
    return Number(await this.scripts.run(account, SCRIPTS.drop, 0, [CLASS_OF[stream], tenant]));
  }

  /** Undefined when the account has no ledger (yet). */
  async stats(account: SendingAccountId): Promise<LedgerStats | undefined> {
    return readStats(await this.scripts.run(account, SCRIPTS.stats, 0, []));
  }

  /** Takes or keeps a lock that saves double work; never a condition of safety. */
  async hold(account: SendingAccountId, what: 'pump' | 'feed' | 'rebuild', holder: string, lifeMs: number): Promise<boolean> {
    return (await this.scripts.run(account, SCRIPTS.hold, 0, [what, holder, lifeMs])) === 1;
  }

  /** Grants past their deadline that nobody settled. */
  async overdue(account: SendingAccountId, limit: number): Promise<OverdueGrant[]> {
    return readOverdue(await this.scripts.run(account, SCRIPTS.overdue, 0, [limit]));
  }
}

function pairs(minutes: readonly UsedMinute[]): (string | number)[] {
  return minutes.flatMap((minute) => [bucketOf(minute.startMs), String(minute.recipients)]);
}
