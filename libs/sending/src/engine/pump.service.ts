import type { SendingAccount } from '@libs/fleet';
import { EngineClock, newId, Timers, type BatchId, type SendingAccountId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { JobQueue } from '@libs/queueing';
import { Ledger, LedgerClockWrong, LedgerUnavailable, parseRate, sliceMs, type Grant, type Refusal } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { dispatchBulk, dispatchTransactional, type Ticket } from './dispatch.jobs';
import { EngineAccounts } from './engine-accounts.service';
import { EngineGate } from './engine-gate';
import { EngineSettings } from './engine.settings';
import { Failpoints } from './failpoints';
import { LedgerKeeper } from './ledger-keeper.service';
import { beginsAnew, crowdedMs, elsewhereMs, firstPart, idlePollMs, restAfter, type PumpPace } from './pump.policy';

/** Recipients a ticket holds at most: one claim's transaction stays short. A slice decides; only a fast account gets here. */
const WANT = 500;
const LOCK_MS = 2_000;
const FAILED_MS = 500;
/**
 * Messages in tickets that no worker has taken yet. More would miss their slots and be moved or swept: what cannot be
 * sent now is better left where it waits in its order.
 */
const WAITING_MESSAGES = 1_500;
/** How often that is counted while it is near, real milliseconds; seldom while it is far. */
const COUNT_MS = 20;
const SELDOM_MS = 250;
/** An account counts as one with mail that need not wait for this long after it had some, milliseconds. */
const HASTY_MS = 10_000;
/** After everything that may be lent was, it is asked for again so much later, milliseconds. */
const LEND_MS = 50;
/** Slices stay short for this long after mail that notices how long they are, milliseconds. */
const SHORT_MS = 10_000;

/** One account's turn after turn. */
interface Pumped {
  readonly id: SendingAccountId;
  turn: Promise<void> | undefined;
  /** Ends the rest before its time. */
  cancelRest: (() => void) | undefined;
  idle: boolean;
  /** What is granted next follows nothing. */
  begins: boolean;
  /** Mail was offered that need not wait for the next turn, and has not been asked for. */
  urged: boolean;
  /** More need not wait than could be lent: asked for again then, monotonic, and not before for a small sender. */
  lendsFrom: number | undefined;
  /** Until when it rests between turns, monotonic. */
  restsUntil: number;
  /** Until then mail that need not wait is asked for before each turn. */
  hastyUntil: number;
  /** Until then its slices are short. */
  shortUntil: number;
  /** How often somebody said that there is work. */
  wakes: number;
}

/**
 * Asks the ledger for each account, again and again, and turns grants into tickets. Any process may pump any account; the
 * lock only saves calls.
 */
@Injectable()
export class Pump {
  private readonly pumped = new Map<SendingAccountId, Pumped>();
  private stopped = false;
  private isCalled = false;
  private averageTicket = 1;
  private waitingTickets = 0;
  private countedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly accounts: EngineAccounts,
    private readonly ledger: Ledger,
    private readonly keeper: LedgerKeeper,
    private readonly queue: JobQueue,
    private readonly gate: EngineGate,
    private readonly clock: EngineClock,
    private readonly timers: Timers,
    private readonly settings: EngineSettings,
    private readonly failpoints: Failpoints,
    private readonly log: Log,
  ) {}

  /** Starts a pump for every account that has none yet. Called by a tick. */
  async tend(): Promise<void> {
    for (const { id } of await this.accounts.all()) {
      if (this.stopped || this.pumped.has(id)) continue;
      const pumped: Pumped = {
        id,
        turn: undefined,
        cancelRest: undefined,
        idle: false,
        begins: true,
        urged: false,
        lendsFrom: undefined,
        restsUntil: 0,
        hastyUntil: 0,
        shortUntil: 0,
        wakes: 0,
      };
      this.pumped.set(id, pumped);
      this.begin(pumped);
    }
  }

  /** From now on `wake` tells of most of what is offered: idle accounts need no close look. */
  relyOnCalls(): void {
    this.isCalled = true;
  }

  /**
   * Somebody has just offered mail on that account: it need not wait for the next look; what is transactional, or a small
   * sender's, not even for the next turn.
   */
  wake(id: SendingAccountId, what: 'bulk' | 'small' | 'urgent'): void {
    const pumped = this.pumped.get(id);
    if (!pumped) return;
    pumped.wakes += 1;
    const isHasty = what === 'urgent' || (what === 'small' && pumped.lendsFrom === undefined);
    if (isHasty) pumped.urged = true;
    if (pumped.turn === undefined && (pumped.idle || isHasty)) {
      pumped.cancelRest?.();
      this.begin(pumped);
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    const pumps = [...this.pumped.values()];
    for (const { cancelRest } of pumps) cancelRest?.();
    await Promise.all(pumps.flatMap(({ turn }) => turn ?? []));
  }

  private begin(pumped: Pumped): void {
    pumped.cancelRest = undefined;
    if (!this.stopped) pumped.turn = this.turn(pumped);
  }

  private async turn(pumped: Pumped): Promise<void> {
    let rest = FAILED_MS;
    const { wakes } = pumped;
    try {
      rest = await this.ask(pumped);
    } catch (error) {
      this.log.warn('the pump could not ask the ledger', {
        sendingAccount: pumped.id,
        reason: error instanceof LedgerUnavailable ? error.reason : 'fault',
        error,
      });
    }
    pumped.turn = undefined;
    if (this.stopped) return;
    const now = this.timers.monotonicMs();
    const isAwaited = pumped.urged || (pumped.wakes !== wakes && pumped.idle);
    const wait = isAwaited ? 1 : Math.max(1, Math.min(rest, (pumped.lendsFrom ?? Infinity) - now));
    pumped.restsUntil = now + Math.max(1, rest);
    pumped.cancelRest = this.timers.after(wait, () => {
      this.begin(pumped);
    });
  }

  /** Everything that is to be asked now. Answers how long to rest, milliseconds of real time. */
  private async ask(pumped: Pumped): Promise<number> {
    const { id } = pumped;
    const isUrged = pumped.urged || this.timers.monotonicMs() >= (pumped.lendsFrom ?? Infinity);
    pumped.urged = false;
    if (isUrged) pumped.lendsFrom = undefined;
    const isResting = isUrged && !pumped.idle;
    const account = await this.accounts.find(id);
    if (!account) {
      this.pumped.delete(id);
      return elsewhereMs(0);
    }
    pumped.idle = false;
    if (!this.gate.isOpen) return elsewhereMs(0);
    if (!(await this.ledger.hold(id, 'pump', this.settings.worker, LOCK_MS))) return elsewhereMs(this.pumped.size);
    const isCrowded = !isResting && (await this.isCrowded());
    const isHasty = isUrged || pumped.urged || this.timers.monotonicMs() < pumped.hastyUntil;
    pumped.urged = false;
    // What need not wait first: in a grant of both it would wait as long as the rest does. And the rest in the same breath, or
    // what comes in between would.
    const [hurried, next] = await Promise.allSettled([
      isHasty ? this.hurry(pumped, account) : undefined,
      isResting
        ? pumped.restsUntil - this.timers.monotonicMs()
        : isCrowded
          ? crowdedMs(this.pumped.size)
          : this.once(pumped, account),
    ]);
    if (hurried.status === 'rejected') throw hurried.reason;
    if (next.status === 'rejected') throw next.reason;
    return next.value;
  }

  /** Asks for the mail that need not wait for what is granted; what gets nothing goes with the next turn. */
  private async hurry(pumped: Pumped, account: SendingAccount): Promise<void> {
    const batchId = newId<BatchId>();
    const reply = await this.acquire(account, batchId, this.paceOf(account, true), true);
    if (reply.kind !== 'grant') {
      // On an account that lends nothing at all the loan is free at once.
      const isSpent =
        reply.kind === 'empty' && reply.why !== 'idle' && reply.why !== 'day' && reply.retryAtMs > reply.nowMs;
      if (isSpent) pumped.lendsFrom = this.timers.monotonicMs() + LEND_MS;
      return;
    }
    const now = this.timers.monotonicMs();
    pumped.hastyUntil = now + HASTY_MS;
    if (isTransactional(reply)) pumped.shortUntil = now + SHORT_MS;
    this.failpoints.reach('after-acquire');
    await this.queue.enqueue(dispatchTransactional, { ...ticketOf(account, batchId, reply), urgent: true });
    this.failpoints.reach('after-enqueue');
  }

  /** One question to the ledger. Answers how long to rest, milliseconds of real time. */
  private async once(pumped: Pumped, account: SendingAccount): Promise<number> {
    const { id } = pumped;
    const { speed } = this.clock.scale;
    const now = this.timers.monotonicMs();
    const isShort = now < pumped.shortUntil;
    const pace = this.paceOf(account, isShort, pumped.begins && !isShort ? firstPart(id) : 1);
    const batchId = newId<BatchId>();
    const reply = await this.acquire(account, batchId, pace, false);
    pumped.idle = reply.kind === 'empty' && reply.why === 'idle';
    pumped.begins = beginsAnew(reply);
    if (reply.kind === 'grant') {
      this.failpoints.reach('after-acquire');
      const urgent = isTransactional(reply);
      if (urgent) pumped.hastyUntil = now + HASTY_MS;
      if (urgent || reply.ranDry) pumped.shortUntil = now + SHORT_MS;
      await this.hand(account, batchId, reply, urgent);
      this.failpoints.reach('after-enqueue');
      // What comes next shall not wait for the end of a long slice of which little was needed.
      if (reply.ranDry && !isShort) return restAfter(reply, this.paceOf(account, true)) / speed;
    }
    if (reply.kind === 'stale') this.keeper.suspect(id);
    if (reply.kind === 'clock') {
      this.log.warn('nothing is granted while clocks are apart', {
        sendingAccount: id,
        error: new LedgerClockWrong(id),
      });
    }
    return restAfter(reply, pace) / speed;
  }

  private paceOf(account: SendingAccount, isShort: boolean, part = 1): PumpPace {
    const { speed } = this.clock.scale;
    return {
      sliceMs: Math.ceil(part * sliceMs(parseRate(account.maxSendRate), isShort)),
      leadMs: this.settings.leadMs * speed,
      idleMs: idlePollMs(this.pumped.size, this.isCalled) * speed,
    };
  }

  /** A reply that was lost is asked for once more under the same id, so that it is not charged twice. */
  private async acquire(
    account: SendingAccount,
    opId: BatchId,
    { leadMs, sliceMs: slice }: PumpPace,
    urgent: boolean,
  ): Promise<Grant | Refusal> {
    const { workers } = this.settings;
    const request = { opId, epoch: account.epoch, want: WANT, leadMs, sliceMs: slice, workers, urgent };
    try {
      return await this.ledger.acquire(account.id, request);
    } catch {
      return this.ledger.acquire(account.id, request);
    }
  }

  private async hand(account: SendingAccount, batchId: BatchId, grant: Grant, urgent: boolean): Promise<void> {
    this.averageTicket += (grant.messages.length - this.averageTicket) / 16;
    this.waitingTickets += 1;
    await this.queue.enqueue(urgent ? dispatchTransactional : dispatchBulk, ticketOf(account, batchId, grant));
  }

  /** True while the workers have more tickets before them than they take: looked at for all accounts, seldom while it is far from true. */
  private async isCrowded(): Promise<boolean> {
    const now = this.timers.monotonicMs();
    const isFar = this.waitingTickets * this.averageTicket < WAITING_MESSAGES / 4;
    if (now - this.countedAt >= (isFar ? SELDOM_MS : COUNT_MS)) {
      this.countedAt = now;
      const [urgent, bulk] = await Promise.all([
        this.queue.waiting('dispatch-tx'),
        this.queue.waiting('dispatch-bulk'),
      ]);
      this.waitingTickets = urgent + bulk;
    }
    return this.waitingTickets * this.averageTicket > WAITING_MESSAGES;
  }
}

function isTransactional(grant: Grant): boolean {
  return grant.messages.some((message) => message.stream === 'TRANSACTIONAL');
}

function ticketOf(account: SendingAccount, batchId: BatchId, grant: Grant): Ticket {
  return {
    batchId,
    sendingAccountId: account.id,
    epoch: String(account.epoch),
    bucketStartMs: grant.bucketStartMs,
    slotStartMs: grant.slotStartMs,
    deadlineMs: grant.deadlineMs,
    granted: grant.recipients,
    rate: grant.rate,
    messages: grant.messages.map(({ tenantId, id, recipients }) => ({ tenantId, id, recipients })),
  };
}
