import {
  EngineClock,
  SystemTimers,
  Timers,
  type LaneId,
  type MessageId,
  type SendingAccountId,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import { Injectable, Optional } from '@nestjs/common';
import { AccountLocks, type AccountLock } from './account-locks';
import type {
  AcquireRequest,
  Grant,
  LaneCaps,
  LedgerStats,
  QueuedMessage,
  ReadyLists,
  Refund,
  Refusal,
  ServedTenant,
  SlotOffer,
  TenantLimits,
} from './grant';
import {
  CLASS_OF,
  readAcquire,
  readLeases,
  readOverdue,
  readReady,
  readServed,
  readSlot,
  readStats,
  writeEntry,
  type LeaseTaken,
  type OverdueGrant,
  type TenantLease,
} from './ledger-reply.policy';
import { isOfNewerVersion } from './ledger-layout.policy';
import { LedgerTime } from './ledger-time';
import type { Part } from './open-division';
import { pacedRate, type Fraction } from './pacing.policy';
import { packId } from './packed-id.policy';
import { LedgerClockWrong } from './quota.errors';
import { bucketOf, countsTowardsDailyCapSinceMs } from './ring.policy';
import { ScriptRunner } from './script-runner.repository';
import { SCRIPTS } from './scripts';
import { FARTHEST_SLOT_MS, OLDEST_RESLOT_MS, SLOT_LIFE_MS } from './slot-times.policy';

/** What SES refused stays charged this long. */
const KEEP_REFUSED_MS = 60_000;
/** Ready messages a tenant may have in Redis per account and stream, unless told otherwise; the rest waits in PostgreSQL. */
export const READY_WINDOW = 1_000;
const OFFER_CHUNK = 500;
/** Tenants whose parts are asked for at once: about a millisecond of Redis. */
const LEASES_CHUNK = 100;
/** Each chunk reads the whole list once. */
const WITHDRAW_CHUNK = 2_000;

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
  private readonly time: LedgerTime;
  private readonly locks: AccountLocks;

  constructor(
    private readonly scripts: ScriptRunner,
    private readonly clock: EngineClock,
    @Optional() timers?: Timers,
  ) {
    this.time = new LedgerTime(clock, timers ?? new SystemTimers());
    this.locks = new AccountLocks(scripts, clock, this.time);
  }

  /** Engine time of the ledger as this process estimates it: what slots and deadlines are compared with. */
  nowMs(): number {
    return this.time.nowMs();
  }

  /** Since when what was sent counts towards tenants' daily caps. */
  countedSince(): Date {
    return new Date(countsTowardsDailyCapSinceMs(this.nowMs(), this.clock.scale.speed));
  }

  /**
   * By how much this host's clock is ahead of Redis' (behind it: negative), real milliseconds; 0 while they agree, undefined while
   * Redis does not answer. What was taken for the ledger's time while both were ahead is forgotten.
   */
  async clockAheadMs(): Promise<number | undefined> {
    const asked = this.time.ownMs();
    const compared = await this.scripts.compareClocks();
    if (compared?.aheadMs === 0 && this.scripts.areApart(this.time.nowMs(), compared.engineMs)) {
      this.time.learn(asked, compared.engineMs);
    }
    return compared?.aheadMs;
  }

  async acquire(account: SendingAccountId, request: AcquireRequest): Promise<Grant | Refusal> {
    const asked = this.time.ownMs();
    const reply = readAcquire(
      await this.scripts.run(account, SCRIPTS.acquire, [
        request.opId,
        String(request.epoch),
        await this.scripts.runId(account),
        request.want,
        request.leadMs,
        request.sliceMs,
        request.workers,
        SLOT_LIFE_MS,
        request.urgent === true ? 1 : 0,
      ]),
    );
    if (reply.kind === 'stale') this.scripts.forgetRunId(account);
    if (reply.kind !== 'stale' && reply.kind !== 'clock') this.time.learn(asked, reply.nowMs);
    return reply;
  }

  /** Ends a grant, once; repeating it changes nothing. Answers whether it was still open. */
  async settle(account: SendingAccountId, opId: string, refunds: readonly Refund[]): Promise<boolean> {
    const triples = refunds
      .filter(({ unused, refused }) => unused > 0 || refused > 0)
      .flatMap((refund) => [packId(refund.tenantId), refund.unused, refund.refused]);
    return (await this.scripts.run(account, SCRIPTS.settle, [opId, KEEP_REFUSED_MS, ...triples])) === 1;
  }

  /** A new slot for what is left of a late batch, or undefined: then it must be given back. */
  async reslot(
    account: SendingAccountId,
    opId: string,
    epoch: bigint,
    recipients: number,
  ): Promise<SlotOffer | undefined> {
    const runId = await this.scripts.runId(account);
    const farthestMs = FARTHEST_SLOT_MS * Math.max(1, this.clock.scale.speed);
    const args = [opId, String(epoch), runId, recipients, SLOT_LIFE_MS, OLDEST_RESLOT_MS, farthestMs];
    return readSlot(await this.scripts.run(account, SCRIPTS.reslot, args));
  }

  /**
   * SES said "too fast": half of the rate that is left, for two seconds, then a tenth more every second, up to all of it.
   * Answers what is left, in thousandths. 429s within a second of each other count once.
   */
  async throttle(account: SendingAccountId): Promise<number> {
    return Number(await this.scripts.run(account, SCRIPTS.throttle, []));
  }

  /** Takes over what GetAccount said. Answers what is charged and what others sent for certain, or undefined for another epoch. */
  async observe(
    account: SendingAccountId,
    epoch: bigint,
    limits: ObservedLimits,
  ): Promise<{ used: bigint; foreign: bigint } | undefined> {
    const rate = pacedRate(limits.rate);
    const reply = await this.scripts.run(account, SCRIPTS.observe, [
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
    await this.scripts.run(account, SCRIPTS.freeze, [Math.ceil(untilMs), 0]);
  }

  async unfreeze(account: SendingAccountId): Promise<void> {
    await this.scripts.run(account, SCRIPTS.freeze, [0, 1]);
  }

  /**
   * Replaces the ledger by what PostgreSQL and SES know, then opens it. Answers false when a newer epoch came first.
   * @param quiet recipients that SES may be owed time for: the rate clock pauses for as long as they take, and a second
   * @param lanes the lanes with caps, and what they have used; without it they stay as Redis has them
   * @throws LedgerClockWrong while this host's clock and that of Redis disagree
   */
  async rebuild(
    account: SendingAccountId,
    epoch: bigint,
    limits: ObservedLimits,
    used: readonly UsedMinute[],
    tenants: ReadonlyMap<TenantId, readonly UsedMinute[]>,
    quiet: number,
    lanes?: readonly (LaneCaps & { readonly used: readonly UsedMinute[] })[],
  ): Promise<boolean> {
    const rate = pacedRate(limits.rate);
    const pauseUs = 1_000_000 + (rate.num > 0 ? Math.ceil((quiet * 1_000_000 * rate.den) / rate.num) : 0);
    const replaced = await this.scripts.run(account, SCRIPTS.rebuild, [
      String(epoch),
      await this.scripts.runId(account),
      String(limits.quota),
      rate.num,
      rate.den,
      String(limits.sesSent),
      pauseUs,
      ...pairs(used),
    ]);
    if (replaced === -1) throw new LedgerClockWrong(account);
    if (replaced !== 1) return false;
    for (const [tenant, minutes] of tenants) {
      await this.scripts.run(account, SCRIPTS.chargeTenant, [String(epoch), packId(tenant), ...pairs(minutes)]);
    }
    if (lanes) {
      await this.setLanes(account, lanes);
      for (const { laneId, used: sent } of lanes) await this.chargeLane(account, laneId, sent);
    }
    return (await this.scripts.run(account, SCRIPTS.open, [String(epoch)])) === 1;
  }

  /**
   * True when the ledger of that epoch lives on the Redis this process talks to, and its time is near that of this host. It never
   * runs backwards: where every clock was ahead and has been set back it would stand still until they are there again.
   */
  async isCurrent(account: SendingAccountId, epoch: bigint): Promise<boolean> {
    const [found, runId, last] = await this.scripts.fields(account, 'epoch', 'runid', 'last');
    if (found !== String(epoch) || runId !== (await this.scripts.runId(account))) return false;
    return !this.scripts.isFarAhead(Number(last) / 1_000);
  }

  /**
   * Undefined unless a newer version of Postfleet has built the ledger; else the time of that ledger, which passes while somebody of
   * that version works with it.
   */
  async newerVersion(account: SendingAccountId): Promise<string | undefined> {
    const [runId, last] = await this.scripts.fields(account, 'runid', 'last');
    return isOfNewerVersion(runId) ? (last ?? '') : undefined;
  }

  /**
   * The next grant asks every server who it is. Its settings may have been changed while we are connected: one that may throw
   * keys away by now grants nothing (LedgerUnavailable, `evicting`), one that has done so is stale.
   */
  askServersAnew(): void {
    this.scripts.forgetRunIds();
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
    window = READY_WINDOW,
  ): Promise<number> {
    const lane = limits.laneId === undefined ? '-' : limits.laneId === null ? '' : packId(limits.laneId);
    let queued = 0;
    for (let i = 0; i === 0 || i < messages.length; i += OFFER_CHUNK) {
      const reply = await this.scripts.run(account, SCRIPTS.offer, [
        CLASS_OF[stream],
        packId(tenant),
        lane,
        limits.leased === true ? 1 : 0,
        limits.weight,
        limits.dayCap === null ? -1 : String(limits.dayCap),
        limits.rate?.num ?? 0,
        limits.rate?.den ?? 1,
        window,
        ...messages.slice(i, i + OFFER_CHUNK).map(writeEntry),
      ]);
      queued += Number(reply);
    }
    return queued;
  }

  /** Empties a tenant's ready list on an account it left or may not use. */
  async drop(account: SendingAccountId, tenant: TenantId, stream: Stream): Promise<number> {
    return Number(await this.scripts.run(account, SCRIPTS.drop, [CLASS_OF[stream], packId(tenant)]));
  }

  /**
   * Takes messages that wait no more (canceled, expired) out of a tenant's ready list, so that no slot is granted to them. A
   * hint: losing it costs those slots, since no claim takes such a message. Answers how many were listed.
   */
  async withdraw(
    account: SendingAccountId,
    tenant: TenantId,
    stream: Stream,
    ids: readonly MessageId[],
  ): Promise<number> {
    let taken = 0;
    for (let i = 0; i < ids.length; i += WITHDRAW_CHUNK) {
      const part = ids.slice(i, i + WITHDRAW_CHUNK).map(packId);
      const reply = await this.scripts.run(account, SCRIPTS.withdraw, [CLASS_OF[stream], packId(tenant), ...part]);
      taken += Number(reply);
    }
    return taken;
  }

  /** Deletes all that Redis holds of an account that was removed, or that a newer version has left. Nothing is granted there any more. */
  async forget(account: SendingAccountId): Promise<void> {
    await this.scripts.run(account, SCRIPTS.forget, []);
  }

  /** The warm-up caps of an account's lanes: all of them, a lane that is not named has none any more. */
  async setLanes(account: SendingAccountId, lanes: readonly LaneCaps[]): Promise<void> {
    const triples = lanes.flatMap(({ laneId, dayCap, hourCap }) => [packId(laneId), dayCap ?? -1, hourCap ?? -1]);
    await this.scripts.run(account, SCRIPTS.lanes, triples);
  }

  /** Replaces what a lane with caps has used. False for a lane without caps. */
  async chargeLane(account: SendingAccountId, lane: LaneId, used: readonly UsedMinute[]): Promise<boolean> {
    return (await this.scripts.run(account, SCRIPTS.chargeLane, [packId(lane), ...pairs(used)])) === 1;
  }

  /**
   * Tenants' parts of limits that are divided over several accounts; TenantLeases does the dividing. Without parts the
   * leases are taken over for a generation, which must be newer than any before; with them, they are set, unless a newer
   * generation came in between: all of them have parts, or none. Answers that generation when it did, 0 when the account has no ledger.
   */
  async leases(
    account: SendingAccountId,
    generation: number,
    wanted: readonly { readonly tenant: TenantId; readonly part?: Part }[],
  ): Promise<(TenantLease | LeaseTaken)[]> {
    const found: (TenantLease | LeaseTaken)[] = [];
    for (let i = 0; i < wanted.length; i += LEASES_CHUNK) {
      const args = wanted.slice(i, i + LEASES_CHUNK).flatMap(({ tenant, part }) => {
        return part ? [packId(tenant), part.dayCap ?? -1, part.rate?.num ?? 0, part.rate?.den ?? 1] : [packId(tenant)];
      });
      const verb = wanted[0]?.part ? 'SET' : 'TAKE';
      found.push(...readLeases(await this.scripts.run(account, SCRIPTS.leases, [generation, verb, ...args])));
    }
    return found;
  }

  /** Undefined when the account has no ledger (yet). */
  async stats(account: SendingAccountId): Promise<LedgerStats | undefined> {
    return readStats(await this.scripts.run(account, SCRIPTS.stats, []));
  }

  /** How much is queued for the tenants that wait; undefined when the account has no ledger (yet). */
  async ready(account: SendingAccountId): Promise<ReadyLists | undefined> {
    return readReady(await this.scripts.run(account, SCRIPTS.ready, []));
  }

  /** What the tenants that wait have been granted, for measuring fairness: Jain's index over recipients per weight. */
  async served(account: SendingAccountId): Promise<ServedTenant[]> {
    return readServed(await this.scripts.run(account, SCRIPTS.served, []));
  }

  /** Takes or keeps a lock that saves double work (AccountLocks); never a condition of safety. */
  hold(account: SendingAccountId, what: AccountLock, holder: string, lifeMs: number): Promise<boolean> {
    return this.locks.hold(account, what, holder, lifeMs);
  }

  /** Grants past their deadline that nobody settled. */
  async overdue(account: SendingAccountId, limit: number): Promise<OverdueGrant[]> {
    return readOverdue(await this.scripts.run(account, SCRIPTS.overdue, [limit]));
  }
}

function pairs(minutes: readonly UsedMinute[]): (string | number)[] {
  return minutes.flatMap((minute) => [bucketOf(minute.startMs), String(minute.recipients)]);
}
