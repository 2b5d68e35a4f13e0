import { UnitOfWork } from '@libs/database';
import { DomainError, EngineClock, notFound, type LaneId, type Mode, type Stream, type TenantId } from '@libs/kernel';
import {
  countsTowardsDailyCapSinceMs,
  leavesDailyCapMs,
  type Fraction,
  type LaneUse,
  type LedgerStats,
} from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { AcceptRepository } from './accept.repository';
import type { Route, Sender } from './accept-route.policy';
import { othersOf, type OtherTenant } from './fair-share.policy';
import { capacityOf, forecast, type Capacity, type Forecast } from './limits-forecast.policy';
import { LedgerLook } from './ledger-look.service';
import { LimitsRepository, type AccountFacts, type TenantUse, type WayOut } from './limits.repository';
import { RampService } from './upkeep/ramp.service';

export interface SendingLimits {
  /** Recipients per rolling 24 h, the least of plan, today's step of the ramp and capacity; -1 = unlimited. */
  readonly recipientsPer24h: bigint;
  /** Recipients sent in the last 24 h. */
  readonly usedLast24h: bigint;
  /** Recipients per second, a decimal. */
  readonly recipientsPerSecond: string;
  /**
   * When a full window has room again, the tenant's own or that of the capacity it shares; null while there is room, and where
   * none will be until a limit of 0 is raised.
   */
  readonly nextFreeAt: Date | null;
  readonly pausedReason: string | null;
}

export interface ForecastRequest {
  readonly recipients: number;
  readonly stream: Stream;
  readonly startAt?: Date | null;
}

/** An account, and its ledger where that answers. */
export type LiveAccount = AccountFacts & { readonly live: LedgerStats | undefined };

const DAY_MS = 86_400_000;
/** A ramp is followed for so long; by then it has met any plan. */
const RAMP_DAYS = 60;
const MAX_RECIPIENTS = 1_000_000_000;
/** A backlog is counted up to this many messages. */
const ENOUGH = 1_000_000;

/** What a tenant may send, and when a volume would be out. Shows kinds of limits, never accounts. */
@Injectable()
export class LimitsService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
    private readonly senders: AcceptRepository,
    private readonly rows: LimitsRepository,
    private readonly look: LedgerLook,
    private readonly ramp: RampService,
  ) {}

  sendingLimits(tenant: TenantId, mode: Mode): Promise<SendingLimits> {
    return this.uow.forTenant(tenant, async () => {
      const now = this.clock.nowMs();
      const sender = await this.sender(tenant, mode);
      const accounts = await this.accounts(sender.routes);
      const quota = accounts.some((account) => account.quota < 0n)
        ? -1n
        : accounts.reduce((sum, account) => sum + account.quota, 0n);
      const { cap } = await this.dayCapOf(tenant, mode, sender);
      const use = await this.useOf(tenant, mode, cap, now);
      const recipientsPer24h = cap === null ? quota : quota < 0n || cap < quota ? cap : quota;
      const rate = accounts.reduce((sum, account) => sum + account.rate, 0);
      const inTheWay = cap !== null && use.counted >= cap ? use.inTheWay : null;
      const own = inTheWay ? new Date(this.leavesCapMs(inTheWay)) : null;
      return {
        recipientsPer24h,
        usedLast24h: use.used,
        recipientsPerSecond: decimal(Math.min(perSecond(sender.limits.rate) ?? Number.POSITIVE_INFINITY, rate)),
        nextFreeAt: recipientsPer24h === 0n ? null : laterOf(own, roomReturns(accounts, now)),
        pausedReason: pausedReason(sender, accounts),
      };
    });
  }

  /**
   * When this volume would be out. Reserves nothing.
   * @throws DomainError INVALID_INPUT, FORBIDDEN_BY_PLAN, NO_CAPACITY
   */
  async forecast(tenant: TenantId, mode: Mode, request: ForecastRequest): Promise<Forecast> {
    if (!Number.isInteger(request.recipients) || request.recipients < 1 || request.recipients > MAX_RECIPIENTS) {
      const message = `Give 1 to ${String(MAX_RECIPIENTS)} recipients.`;
      throw new DomainError({ code: 'INVALID_INPUT', message, path: ['recipients'] });
    }
    return this.uow.forTenant(tenant, async () => {
      const nowMs = this.clock.nowMs();
      const sender = await this.sender(tenant, mode);
      if (!sender.streams.includes(request.stream)) {
        const message = `Your plan does not include ${request.stream} mail.`;
        throw new DomainError({ code: 'FORBIDDEN_BY_PLAN', message, path: ['stream'] });
      }
      const routes = sender.routes.filter((route) => route.stream === request.stream && route.weight > 0);
      const all = await this.accounts(routes);
      const sending = all.filter((account) => account.sending);
      // What waits for one that is closed goes through the others.
      const accounts = sending.length > 0 ? sending : all;
      const capacity = capacityFor(routes, accounts);
      const stop = stopOf(await this.rows.waysOut(tenant, request.stream), accounts);
      const use = await this.useOf(tenant, mode, null, nowMs);
      const ahead = mode === 'LIVE' ? await this.ramp.ahead(tenant, RAMP_DAYS) : [];
      const [today] = ahead;
      const wanted = Math.max(nowMs, request.startAt?.getTime() ?? nowMs);
      const capMs = sender.holds.find((hold) => hold.stream === request.stream)?.until.getTime() ?? wanted;
      const startMs = Math.max(wanted, capMs, stop.heldUntilMs);
      return forecast({
        recipients: BigInt(request.recipients),
        startMs,
        heldBy: capMs > wanted ? 'SPEND_CAP' : startMs > wanted ? 'PAUSED' : null,
        nowMs,
        waiting: await this.rows.before(tenant, mode, request.stream, new Date(startMs), ENOUGH),
        dayCaps: today ? ahead.map((day) => day.recipients) : capsOf(sender.limits.dayCap),
        dayLimit: today?.limit === 'RAMP' ? 'RAMP' : 'PLAN_QUOTA',
        tenantUsed: use.counted,
        planRate: perSecond(sender.limits.rate),
        capacity,
        weight: sender.limits.weight,
        // Who waits now has gone by then.
        others: startMs > nowMs ? [] : mostOf(accounts.map((account) => othersAt(account, tenant, request.stream))),
        paused: sender.state === 'PAUSED' || sending.length === 0 || stop.paused,
        allOpenMs: stop.allOpenMs,
      });
    });
  }

  /** Recipients per 24 h that the tenant may send today, what says so, and what it will be on later days where it grows. */
  async dayCapOf(
    tenant: TenantId,
    mode: Mode,
    sender: Sender,
  ): Promise<{
    readonly cap: bigint | null;
    readonly limit: 'PLAN_QUOTA' | 'RAMP';
    readonly later: readonly bigint[];
  }> {
    const today = mode === 'LIVE' ? (await this.ramp.allowance([tenant])).get(tenant) : undefined;
    if (!today) return { cap: sender.limits.dayCap, limit: 'PLAN_QUOTA', later: [] };
    if (today.limit !== 'RAMP') return { cap: today.recipients, limit: 'PLAN_QUOTA', later: [] };
    const later = (await this.ramp.ahead(tenant, RAMP_DAYS)).slice(1).map((day) => day.recipients);
    return { cap: today.recipients, limit: 'RAMP', later };
  }

  /** What SES took of the tenant's mail in the day before, engine milliseconds. */
  useOf(tenant: TenantId, mode: Mode, cap: bigint | null, nowMs: number): Promise<TenantUse> {
    const counted = countsTowardsDailyCapSinceMs(nowMs, this.clock.scale.speed);
    return this.rows.use(tenant, mode, cap, new Date(nowMs - DAY_MS), new Date(counted));
  }

  /** When what SES took then no longer counts towards its tenant's daily cap, engine milliseconds. */
  leavesCapMs(sentAt: Date): number {
    return leavesDailyCapMs(sentAt.getTime(), this.clock.scale.speed);
  }

  /** The accounts of these routes, with what the ledger knows of them where it answers. */
  async accounts(routes: readonly Pick<Route, 'sendingAccountId'>[]): Promise<LiveAccount[]> {
    const facts = await this.rows.accounts([...new Set(routes.map((route) => route.sendingAccountId))]);
    const stats = await this.look.statsOf(facts.map(({ id }) => id));
    return facts.map((account) => {
      const live = stats.get(account.id);
      return live ? { ...account, quota: live.quota, used24h: live.used24h, live } : { ...account, live };
    });
  }

  private async sender(tenant: TenantId, mode: Mode): Promise<Sender> {
    const sender = await this.senders.sender(tenant, mode, []);
    if (!sender) throw notFound('The tenant');
    return sender;
  }
}

function pausedReason(sender: Sender, accounts: readonly AccountFacts[]): string | null {
  if (sender.state === 'PAUSED') return sender.pausedReason ?? 'paused by the operator';
  const isClosed = accounts.length > 0 && !accounts.some((account) => account.sending);
  return isClosed ? 'paused on our side; the operator has been told' : null;
}

/**
 * What SES refuses of a stream on the accounts that it leaves from: on every one for good, or until a time (engine milliseconds; 0 =
 * it is not); and when the last of them takes it.
 */
function stopOf(
  ways: readonly WayOut[],
  accounts: readonly AccountFacts[],
): { readonly paused: boolean; readonly heldUntilMs: number; readonly allOpenMs: number } {
  const own = accounts.map(({ id }) => ways.find((way) => way.sendingAccountId === id));
  const times = own.map((way) => (way?.paused === true ? Number.POSITIVE_INFINITY : (way?.heldUntil?.getTime() ?? 0)));
  const first = Math.min(...times);
  const paused = !Number.isFinite(first);
  return { paused, heldUntilMs: paused ? 0 : first, allOpenMs: Math.max(0, ...times) };
}

function capacityFor(routes: readonly Route[], accounts: readonly LiveAccount[]): Capacity {
  const capacity = capacityOf(
    routes.flatMap(({ sendingAccountId, laneId, stream, weight }) => {
      const account = accounts.find((one) => one.id === sendingAccountId);
      if (!account) return [];
      const { quota, rate } = account;
      return [{ weight, quota, used: takenOf(account, stream), rate, warmUp: warmUpOf(account, laneId) }];
    }),
  );
  if (!capacity) {
    const message = 'No sending capacity is assigned to this stream yet.';
    throw new DomainError({ code: 'NO_CAPACITY', message, path: ['stream'] });
  }
  return capacity;
}

/** The caps of the pool a message leaves through, while it is warmed up. */
export function warmUpOf({ live }: LiveAccount, laneId: LaneId): LaneUse | null {
  return live?.lanes.find((lane) => lane.laneId === laneId) ?? null;
}

function capsOf(dayCap: bigint | null): readonly bigint[] {
  return dayCap === null ? [] : [dayCap];
}

/** When the first of accounts that are all full or frozen opens again; null while one of them is open. One of a quota of 0 never does. */
function roomReturns(accounts: readonly LiveAccount[], nowMs: number): Date | null {
  const times = accounts.filter(({ quota }) => quota !== 0n).map((account) => closedUntil(account, nowMs));
  return times.length === 0 || times.includes(null) ? null : new Date(Math.min(...times.map((ms) => ms ?? nowMs)));
}

function laterOf(one: Date | null, other: Date | null): Date | null {
  return one && other ? (one > other ? one : other) : (one ?? other);
}

/** What of an account's quota mail of the stream finds taken: used, or kept back from it. */
export function takenOf({ used24h, live }: LiveAccount, stream: Stream): bigint {
  return used24h + (live?.keptBack[stream] ?? 0n);
}

/** Null while the account is open. */
export function closedUntil(account: LiveAccount, nowMs: number): number | null {
  const { quota, live } = account;
  const frozen = live && live.frozenUntilMs > nowMs ? live.frozenUntilMs : null;
  if (quota < 0n || takenOf(account, 'TRANSACTIONAL') < quota) return frozen;
  return Math.max(frozen ?? nowMs, live?.roomReturnsAtMs ?? nowMs + DAY_MS);
}

/** Who waits at the account besides. Transactional mail does not stand behind anybody's marketing mail. */
export function othersAt({ live }: LiveAccount, tenant: TenantId, stream: Stream): OtherTenant[] {
  const lists = live?.ready.filter(
    (list) =>
      list.tenantId !== tenant && !list.atOwnLimit && (stream === 'MARKETING' || list.stream === 'TRANSACTIONAL'),
  );
  return othersOf(lists ?? []);
}

/** Of a stream that is split over several accounts the one with the most company decides. */
function mostOf(companies: readonly OtherTenant[][]): OtherTenant[] {
  const weight = (others: readonly OtherTenant[]) => others.reduce((sum, other) => sum + other.weight, 0);
  return companies.reduce((most, others) => (weight(others) > weight(most) ? others : most), []);
}

/** Recipients per second as a plain number: for estimates, never for granting. */
export function perSecond(rate: Fraction | null): number | null {
  return rate === null ? null : rate.num / rate.den;
}

function decimal(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 1_000) / 1_000) : '0';
}
