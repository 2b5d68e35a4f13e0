import type { MessageId, SendingAccountId, Stream, TenantId } from '@libs/kernel';
import type {
  Grant,
  Ledger,
  LedgerStats,
  ObservedLimits,
  OverdueGrant,
  QueuedMessage,
  Refund,
  Refusal,
  TenantLimits,
  UsedMinute,
} from '@libs/quota';
import type { AcquireRequest, GrantedMessage, LaneCaps, ReadyLists, SlotOffer } from '../../libs/quota/src/grant';
import { CLASS_OF, readSlot } from '../../libs/quota/src/ledger-reply.policy';
import { READY_WINDOW } from '../../libs/quota/src/ledger.service';
import { LedgerTime } from '../../libs/quota/src/ledger-time';
import { pacedRate } from '../../libs/quota/src/pacing.policy';
import { bucketOf, bucketStartMs, countsTowardsDailyCapSinceMs } from '../../libs/quota/src/ring.policy';
import { LedgerClockWrong } from '../../libs/quota/src/quota.errors';
import { FARTHEST_SLOT_MS, OLDEST_RESLOT_MS, SLOT_LIFE_MS } from '../../libs/quota/src/slot-times.policy';
import type { LedgerModel, ModelReply } from '../../libs/quota/src/testing';
import type { RedisServer } from './redis-server';
import type { SimulatedProcess } from './simulated-process';
import { EPOCH_MS, type VirtualTime } from './virtual-time';
import type { Wire } from './wire';

// As in libs/quota's ledger.service.ts.
const KEEP_REFUSED_MS = 60_000;
const CLOCK_TOLERANCE_MS = 5_000;

/** What the checker is told of ledgers. */
export interface LedgerEvents {
  opened(account: SendingAccountId, epoch: bigint, runId: string): void;
  granted(account: SendingAccountId, opId: string, grant: Grant): void;
  /** An account for which nobody waited has got mail, or a tenant that has little of it. */
  woken(account: SendingAccountId, what: '' | ' urgent' | ' small'): void;
}

/** The ledger as one process sees it: the model of the scripts, on whichever Redis the process is connected to. */
export class SimulatedLedger implements Pick<Ledger, keyof Ledger> {
  private readonly own: LedgerTime;
  private readonly held = new Map<string, number>();

  constructor(
    private readonly process: SimulatedProcess,
    /** The Redis this process is connected to. */
    private readonly redis: () => RedisServer,
    private readonly wire: Wire,
    private readonly time: VirtualTime,
    private readonly events: LedgerEvents,
  ) {
    this.own = new LedgerTime(process.clock, process);
  }

  nowMs(): number {
    return this.own.nowMs();
  }

  countedSince(): Date {
    return new Date(countsTowardsDailyCapSinceMs(this.nowMs(), 1));
  }

  clockAheadMs(): Promise<number> {
    const server = this.redis();
    const hostMs = this.process.clock.hostMs();
    return this.wire.call(this.process, 'redis', () => {
      const ahead = hostMs - (EPOCH_MS + this.time.nowMs + server.clockErrorMs);
      return Math.abs(ahead) > CLOCK_TOLERANCE_MS ? ahead : 0;
    });
  }

  async acquire(account: SendingAccountId, request: AcquireRequest): Promise<Grant | Refusal> {
    const asked = this.own.ownMs();
    const reply = await this.ask(account, (ledger, nowUs, server) => {
      const answer = readReply(
        ledger.acquire(nowUs, {
          opId: request.opId,
          epoch: Number(request.epoch),
          runId: server.runId,
          want: request.want,
          leadMs: request.leadMs,
          sliceMs: request.sliceMs,
          workers: request.workers,
          lifeMs: SLOT_LIFE_MS,
          urgent: request.urgent === true,
        }),
      );
      if (answer.kind === 'grant') this.events.granted(account, request.opId, answer);
      return answer;
    });
    if (reply.kind !== 'stale' && reply.kind !== 'clock') this.own.learn(asked, reply.nowMs);
    return reply;
  }

  settle(account: SendingAccountId, opId: string, refunds: readonly Refund[]): Promise<boolean> {
    return this.ask(
      account,
      (ledger, nowUs) =>
        ledger.settle(
          nowUs,
          opId,
          KEEP_REFUSED_MS,
          refunds
            .filter(({ unused, refused }) => unused > 0 || refused > 0)
            .map(({ tenantId, unused, refused }) => [tenantId, unused, refused] as const),
        ) === 1,
    );
  }

  reslot(account: SendingAccountId, opId: string, epoch: bigint, recipients: number): Promise<SlotOffer | undefined> {
    return this.ask(account, (ledger, nowUs, { runId }) =>
      readSlot(
        ledger.reslot(nowUs, opId, Number(epoch), runId, recipients, SLOT_LIFE_MS, OLDEST_RESLOT_MS, FARTHEST_SLOT_MS),
      ),
    );
  }

  throttle(account: SendingAccountId): Promise<number> {
    return this.ask(account, (ledger, nowUs) => ledger.throttle(nowUs));
  }

  forget(account: SendingAccountId): Promise<void> {
    return this.ask(account, (_ledger, _nowUs, server) => {
      server.ledgers.delete(account);
    });
  }

  setLanes(account: SendingAccountId, lanes: readonly LaneCaps[]): Promise<void> {
    return this.ask(account, (ledger, nowUs) => {
      ledger.setLanes(
        nowUs,
        lanes.map(({ laneId, dayCap, hourCap }) => [laneId, dayCap ?? -1, hourCap ?? -1] as const),
      );
    });
  }

  /** No lane has a cap in these worlds. */
  chargeLane(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** No tenant sends through two accounts in these worlds. */
  leases(): ReturnType<Ledger['leases']> {
    return Promise.resolve([]);
  }

  served(account: SendingAccountId): ReturnType<Ledger['served']> {
    return this.ask(account, (ledger) =>
      ledger.served().map(({ tenant, ...rest }) => ({ ...rest, tenantId: tenant as TenantId, parked: false })),
    );
  }

  observe(account: SendingAccountId, epoch: bigint, limits: ObservedLimits): ReturnType<Ledger['observe']> {
    const { num, den } = pacedRate(limits.rate);
    return this.ask(account, (ledger, nowUs) => {
      const [kind, used = '0', foreign = '0'] = ledger.observe(
        nowUs,
        Number(epoch),
        Number(limits.quota),
        num,
        den,
        Number(limits.sesSent),
      );
      return kind === 'OK' ? { used: BigInt(used), foreign: BigInt(foreign) } : undefined;
    });
  }

  freeze(account: SendingAccountId, untilMs: number): Promise<void> {
    return this.ask(account, (ledger) => {
      ledger.freeze(Math.ceil(untilMs), false);
    });
  }

  unfreeze(account: SendingAccountId): Promise<void> {
    return this.ask(account, (ledger) => {
      ledger.freeze(0, true);
    });
  }

  async rebuild(
    account: SendingAccountId,
    epoch: bigint,
    limits: ObservedLimits,
    used: readonly UsedMinute[],
    tenants: ReadonlyMap<TenantId, readonly UsedMinute[]>,
    quiet: number,
  ): Promise<boolean> {
    const { num, den } = pacedRate(limits.rate);
    const pauseUs = num > 0 ? Math.ceil((quiet * 1_000_000 * den) / num) : 0;
    const replaced = await this.ask(account, (ledger, nowUs, { runId }) => {
      if (Math.abs(nowUs / 1000 - ledger.callerMs) > CLOCK_TOLERANCE_MS) throw new LedgerClockWrong(account);
      return ledger.rebuild(
        nowUs,
        Number(epoch),
        runId,
        Number(limits.quota),
        num,
        den,
        Number(limits.sesSent),
        pairs(used),
        1_000_000 + pauseUs,
      );
    });
    if (!replaced) return false;
    for (const [tenant, minutes] of tenants) {
      await this.ask(account, (ledger, nowUs) => ledger.chargeTenant(nowUs, Number(epoch), tenant, pairs(minutes)));
    }
    return this.ask(account, (ledger, _nowUs, { runId }) => {
      const opened = ledger.open(Number(epoch));
      if (opened) this.events.opened(account, epoch, runId);
      return opened;
    });
  }

  /** All processes of these worlds are of one version. */
  newerVersion(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  askServersAnew(): void {
    // A simulated server is asked who it is at every step.
  }

  isCurrent(account: SendingAccountId, epoch: bigint): Promise<boolean> {
    return this.ask(account, (ledger) => epoch > 0n && BigInt(ledger.epoch) === epoch && this.isHome(ledger));
  }

  offer(
    account: SendingAccountId,
    tenant: TenantId,
    stream: Stream,
    limits: TenantLimits,
    messages: readonly QueuedMessage[],
    window = READY_WINDOW,
  ): Promise<number> {
    return this.ask(account, (ledger, nowUs) => {
      const lists = ledger.lists().filter(({ parked }) => !parked);
      const urgent = CLASS_OF[stream] === 'tx';
      const noTx = !lists.some((list) => list.class === 'tx');
      const enters = !ledger.lists().some((list) => list.tenant === tenant && list.class === CLASS_OF[stream]);
      const queued = ledger.offer(nowUs, {
        class: CLASS_OF[stream],
        tenant,
        weight: limits.weight,
        cap: limits.dayCap === null ? -1 : Number(limits.dayCap),
        num: limits.rate?.num ?? 0,
        den: limits.rate?.den ?? 1,
        most: window,
        entries: messages.map(({ id, recipients }) => ({ id, cost: recipients })),
      });
      const small = !urgent && queued <= 8;
      if (noTx && enters && queued > 0 && (urgent || small || lists.length === 0)) {
        this.events.woken(account, urgent ? ' urgent' : small ? ' small' : '');
      }
      return queued;
    });
  }

  drop(account: SendingAccountId, tenant: TenantId, stream: Stream): Promise<number> {
    return this.ask(account, (ledger) => ledger.drop(CLASS_OF[stream], tenant));
  }

  withdraw(account: SendingAccountId, tenant: TenantId, stream: Stream, ids: readonly MessageId[]): Promise<number> {
    return this.ask(account, (ledger) => ledger.withdraw(CLASS_OF[stream], tenant, ids));
  }

  stats(account: SendingAccountId): Promise<LedgerStats | undefined> {
    return this.ask(account, (ledger, nowUs, { runId }) =>
      ledger.epoch === 0
        ? undefined
        : {
            nowMs: nowUs / 1000,
            epoch: BigInt(ledger.epoch),
            runId,
            quota: BigInt(ledger.q),
            rate: { num: ledger.num, den: ledger.den },
            used24h: BigInt(ledger.used + ledger.ext),
            foreign: BigInt(ledger.ext),
            keptBack: { TRANSACTIONAL: 0n, MARKETING: 0n },
            roomReturnsAtMs: 0,
            rateFreeAtMs: 0,
            frozenUntilMs: 0,
            pacePermille: 1_000,
            inflight: ledger.inflightOps().length,
            ready: ledger.lists().map((list) => ({
              tenantId: list.tenant as TenantId,
              stream: list.class === 'tx' ? 'TRANSACTIONAL' : 'MARKETING',
              messages: list.length,
              atOwnLimit: list.parked,
              weight: 1,
            })),
            lanes: [],
          },
    );
  }

  ready(account: SendingAccountId): Promise<ReadyLists | undefined> {
    return this.ask(account, (ledger) =>
      ledger.epoch === 0
        ? undefined
        : {
            epoch: BigInt(ledger.epoch),
            lists: ledger.lists().map((list) => ({
              tenantId: list.tenant as TenantId,
              stream: list.class === 'tx' ? 'TRANSACTIONAL' : 'MARKETING',
              messages: list.length,
            })),
          },
    );
  }

  async hold(
    account: SendingAccountId,
    what: 'pump' | 'feed' | 'rebuild',
    holder: string,
    lifeMs: number,
  ): Promise<boolean> {
    const key = `${account} ${what}`;
    const now = this.process.clock.nowMs();
    const until = this.held.get(key);
    if (until !== undefined && now < until && until - now <= lifeMs / 2) return true;
    const asked = this.own.ownMs();
    const { has, nowMs } = await this.ask(account, (ledger, nowUs, { locks }) => {
      const lock = locks.get(key);
      const free = !lock || lock.holder === holder || lock.untilMs <= this.time.nowMs;
      if (free) locks.set(key, { holder, untilMs: this.time.nowMs + lifeMs });
      return { has: free, nowMs: ledger.timeFor(nowUs) };
    });
    if (nowMs !== undefined) this.own.learn(asked, nowMs);
    if (has) this.held.set(key, now + lifeMs / 2);
    else this.held.delete(key);
    return has;
  }

  overdue(account: SendingAccountId, limit: number): Promise<OverdueGrant[]> {
    return this.ask(account, (ledger, nowUs) =>
      ledger.overdue(nowUs, limit).map(({ opId, bucket, cost, ids }) => ({
        opId,
        bucketStartMs: bucketStartMs(bucket),
        recipients: cost,
        messages: ids.map(readMessage),
      })),
    );
  }

  private isHome(ledger: LedgerModel): boolean {
    return ledger.isOf(this.redis().runId);
  }

  private ask<T>(
    account: SendingAccountId,
    answer: (ledger: LedgerModel, nowUs: number, server: RedisServer) => T,
  ): Promise<T> {
    const server = this.redis();
    const callerMs = this.process.clock.nowMs();
    return this.wire.call(this.process, 'redis', () => {
      const nowUs = Math.floor((EPOCH_MS + this.time.nowMs + server.clockErrorMs) * 1000);
      const ledger = server.ledger(account);
      ledger.callerMs = callerMs;
      return answer(ledger, nowUs, server);
    });
  }
}

function pairs(minutes: readonly UsedMinute[]): [number, number][] {
  return minutes.map(({ startMs, recipients }) => [bucketOf(startMs), Number(recipients)]);
}

/** The model's reply to acquire; times in it are microseconds. */
function readReply([kind, ...rest]: ModelReply): Grant | Refusal {
  const ms = (place: number) => Number(rest[place]) / 1000;
  switch (kind) {
    case 'STALE':
      return { kind: 'stale' };
    case 'CLOCK':
      return { kind: 'clock', nowMs: ms(0) };
    case 'FROZEN':
      return { kind: 'frozen', nowMs: ms(0), untilMs: ms(1) };
    case 'EMPTY':
      return { kind: 'empty', nowMs: ms(0), why: rest[1] as 'idle' | 'day' | 'rate' | 'tenants', retryAtMs: ms(2) };
    default:
      return {
        kind: 'grant',
        nowMs: ms(0),
        slotStartMs: ms(1),
        deadlineMs: ms(2),
        bucketStartMs: bucketStartMs(Number(rest[3])),
        recipients: Number(rest[4]),
        rate: { num: Number(rest[5]), den: Number(rest[6]) },
        messages: rest.slice(7).map(readMessage),
        ranDry: false,
      };
  }
}

/** `tenant:message:recipients:class`, as the model writes it. */
function readMessage(text: string): GrantedMessage {
  const [tenantId = '', id = '', recipients = '', klass = ''] = text.split(':');
  return {
    tenantId: tenantId as TenantId,
    id: id as MessageId,
    recipients: Number(recipients),
    stream: klass === 'tx' ? 'TRANSACTIONAL' : 'MARKETING',
  };
}
