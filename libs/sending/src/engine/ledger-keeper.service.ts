import { UnitOfWork } from '@libs/database';
import { ObservationService, SendingAccountService, type SendingAccount } from '@libs/fleet';
import { Timers, type AwsAccountId, type SendingAccountId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Ledger, parseRate, warmUpCaps, type ObservedLimits } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { AccountIncidents } from './account-incidents.service';
import { EngineAccounts } from './engine-accounts.service';
import { EngineGate } from './engine-gate';
import { EngineSettings } from './engine.settings';
import { FEED_LOCK_MS } from './feed-lines.service';
import { figuresAreGood, mayRebuild, quietRecipients } from './ledger-keeper.policy';
import { LedgerKeeperRepository } from './ledger-keeper.repository';
import { NewerVersion } from './newer-version.service';
import { inTurns } from './side-by-side';

/** What counts towards a rolling day, with the guard and a bucket to spare. */
const WINDOW_MS = 86_400_000 + 240_000;
const LOCK_MS = 30_000;
/** Messages granted longer ago than this SES's rate bucket has forgotten: the minutes in which one may be moved, and one more. */
const LATELY_MS = 120_000;
/** A paused or suspended account stays frozen until it was looked at again. */
const UNUSABLE_MS = 90_000;
/** How often a ledger is looked at that nobody found stale, real milliseconds. */
const CHECK_MS = 3_000;
/** Whose sends are refused although GetAccount says that it may send is tried this seldom, real milliseconds. */
const REOPENED_MS = 60_000;
/** Accounts looked at at the same time: AWS paces each of them, not all together. */
const SIDE_BY_SIDE = 16;

/** Keeps every account's ledger true: rebuilds what is missing or stale, and tells it what GetAccount says. */
@Injectable()
export class LedgerKeeper {
  private readonly bumped = new Map<SendingAccountId, { readonly epoch: bigint; readonly at: number }>();
  private kept = new Set<SendingAccountId>();
  /** When each ledger is due to be looked at, monotonic. */
  private readonly checkAt = new Map<SendingAccountId, number>();
  /** When each account was last found to send again, by nobody's order, monotonic. */
  private readonly reopenedAt = new Map<SendingAccountId, number>();

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: LedgerKeeperRepository,
    private readonly accounts: EngineAccounts,
    private readonly fleet: SendingAccountService,
    private readonly observation: ObservationService,
    private readonly incidents: AccountIncidents,
    private readonly gate: EngineGate,
    private readonly ledger: Ledger,
    private readonly newer: NewerVersion,
    private readonly settings: EngineSettings,
    private readonly timers: Timers,
    private readonly log: Log,
  ) {}

  /** Somebody found this ledger stale: the next `keep` looks at it. */
  suspect(id: SendingAccountId): void {
    this.checkAt.delete(id);
  }

  /**
   * Rebuilds ledgers that are missing, of another epoch or of another Redis. Until then nobody sends there. Looks at those
   * that are suspected or being rebuilt, and at each of the others every few seconds.
   */
  async keep(): Promise<void> {
    const accounts = await this.accounts.all();
    const now = this.timers.monotonicMs();
    const due = accounts.filter(({ id }) => now >= (this.checkAt.get(id) ?? 0));
    await inTurns(SIDE_BY_SIDE, due, async (account) => {
      try {
        if (await this.keepOne(account)) this.checkAt.set(account.id, this.timers.monotonicMs() + CHECK_MS);
      } catch (error) {
        this.log.warn('a ledger could not be rebuilt yet', { sendingAccount: account.id, error });
      }
    });
    await this.forgetRemoved(accounts);
  }

  /**
   * Reads GetAccount of every account and tells the ledgers. An account that cannot be read keeps its last figures. Looks at the
   * settings of Redis as well: it tells nobody when they change.
   */
  async observe(): Promise<void> {
    this.ledger.askServersAnew();
    await this.observeEach(await this.accounts.all());
  }

  /**
   * The same for accounts that AWS has paused, each by the process that feeds it: nothing else tells when the pause has ended. A
   * suspension does not end this way.
   */
  async observePaused(): Promise<void> {
    const paused = (await this.accounts.all()).filter(
      (account) => !isUsable(account) && account.state !== 'SUSPENDED' && !this.reopenedLately(account.id),
    );
    await this.observeEach(paused, (id) => this.ledger.hold(id, 'feed', this.settings.worker, FEED_LOCK_MS));
  }

  private async observeEach(
    accounts: readonly SendingAccount[],
    isOurs: (id: SendingAccountId) => Promise<boolean> = () => Promise.resolve(true),
  ): Promise<void> {
    await inTurns(SIDE_BY_SIDE, accounts, async (account) => {
      try {
        if (!(await isOurs(account.id))) return;
        const seen = await this.observeOne(account);
        if (!isUsable(account) && isUsable(seen)) this.reopenedAt.set(account.id, this.timers.monotonicMs());
      } catch (error) {
        this.log.warn('an account could not be observed', { sendingAccount: account.id, error });
      }
    });
  }

  private reopenedLately(id: SendingAccountId): boolean {
    const at = this.reopenedAt.get(id);
    return at !== undefined && this.timers.monotonicMs() - at < REOPENED_MS;
  }

  /**
   * Somebody has an AWS account verified, and wrote down what GetAccount said of this one: its ledger follows at once. One that may
   * send again is not frozen any more, whoever found it paused. What fails here is made good by the next look.
   */
  async seen(seen: SendingAccount, before: SendingAccount | undefined): Promise<void> {
    try {
      await this.incidents.observed(before ?? seen, seen);
      await this.follow(seen);
      if (isUsable(seen)) await this.reopen(seen.id);
    } catch (error) {
      this.log.warn('a ledger could not be told what AWS says', { sendingAccount: seen.id, error });
    }
  }

  /** The verification has ended: lanes that it found count from now on. */
  async verified(awsAccountId: AwsAccountId): Promise<void> {
    // As they are now: those at hand may be from before what `seen` was told.
    const accounts = (await this.fleet.active()).filter((account) => account.awsAccountId === awsAccountId);
    for (const account of accounts) {
      const seen = await this.observeOne(account);
      if (isUsable(seen)) await this.reopen(seen.id);
    }
  }

  /** The same for one account, at once. @throws AWS's error */
  async observeOne(account: SendingAccount): Promise<SendingAccount> {
    const { before, seen } = await this.observation.observe(account.id);
    await this.incidents.observed(before, seen);
    await this.follow(seen);
    // As it is at hand may be from before it was refused, as it was in the database from after somebody else found it to be well again.
    if (isUsable(seen) && !(isUsable(account) && isUsable(before))) await this.reopen(seen.id);
    return seen;
  }

  private async follow(seen: SendingAccount): Promise<void> {
    const booked = await this.ledger.observe(seen.id, seen.epoch, limitsOf(seen));
    if (booked && seen.max24HourSend > 0n && booked.foreign * 200n > seen.max24HourSend) {
      this.log.warn('somebody else sends from this account', {
        sendingAccount: seen.id,
        recipients: String(booked.foreign),
      });
    }
    await this.ledger.setLanes(seen.id, await this.cappedLanes(seen.id));
    if (!isUsable(seen)) await this.ledger.freeze(seen.id, this.ledger.nowMs() + UNUSABLE_MS);
  }

  /** What is granted from now on must not be taken for what was granted before SES refused the account. */
  private async reopen(id: SendingAccountId): Promise<void> {
    this.gate.openAccount(id);
    await this.ledger.unfreeze(id);
  }

  /** True when there is nothing to do: the ledger is current, or a newer version's. */
  private async keepOne(account: SendingAccount): Promise<boolean> {
    // Who waits to rebuild it need not ask the database whether somebody else did: an older epoch replaces nothing.
    const isOurs = this.bumped.has(account.id);
    if (
      (await this.ledger.isCurrent(account.id, account.epoch)) ||
      (!isOurs && (await this.isCurrentNow(account.id)))
    ) {
      this.bumped.delete(account.id);
      this.newer.forget(account.id);
      return true;
    }
    if (await this.newer.has(account.id)) {
      this.bumped.delete(account.id);
      return true;
    }
    if (!(await this.ledger.hold(account.id, 'rebuild', this.settings.worker, LOCK_MS))) return false;
    const known = this.bumped.get(account.id);
    if (known === undefined) {
      // From here on no ticket of the old ledger can be claimed.
      const epoch = await this.fleet.bumpEpoch(account.id);
      this.bumped.set(account.id, { epoch, at: this.timers.monotonicMs() });
      this.log.warn('a ledger is missing or stale: rebuilding it', {
        sendingAccount: account.id,
        epoch: String(epoch),
      });
    }
    const { epoch, at } = this.bumped.get(account.id) ?? { epoch: account.epoch, at: this.timers.monotonicMs() };
    const open = await this.uow.forSystem(() => this.rows.openBatches(account.id));
    if (!mayRebuild(open, this.timers.monotonicMs() - at)) return false;
    await this.rebuild(account.id, epoch);
    this.bumped.delete(account.id);
    return false;
  }

  /** Asked with the epoch in the database: the one at hand may be older than a rebuild that has just ended. */
  private async isCurrentNow(id: SendingAccountId): Promise<boolean> {
    const { epoch } = await this.fleet.get(id);
    return this.ledger.isCurrent(id, epoch);
  }

  private async rebuild(id: SendingAccountId, epoch: bigint): Promise<void> {
    const { before, seen } = await this.lookedAt(id);
    await this.incidents.observed(before, seen);
    const since = new Date(this.ledger.nowMs() - WINDOW_MS);
    const lately = new Date(this.ledger.nowMs() - LATELY_MS);
    const capped = await this.cappedLanes(id);
    const laneIds = capped.map(({ laneId }) => laneId);
    const { used, tenants, largest, sent } = await this.uow.forSystem(async () => ({
      used: await this.rows.used(id, since),
      tenants: await this.rows.usedByTenant(id, since),
      largest: await this.rows.largest(id, lately),
      sent: await this.rows.usedByLane(id, laneIds, since),
    }));
    // Before the ledger is opened: what fails or dies after that would leave pools their whole day of warm-up once more.
    const lanes = capped.map((lane) => ({ ...lane, used: sent.get(lane.laneId) ?? [] }));
    const done = await this.ledger.rebuild(id, epoch, limitsOf(seen), used, tenants, quietRecipients(largest), lanes);
    if (!done) return;
    if (!isUsable(seen)) await this.ledger.freeze(id, this.ledger.nowMs() + UNUSABLE_MS);
    this.log.info('rebuilt a ledger', { sendingAccount: id, epoch: String(epoch), minutes: used.length });
  }

  /**
   * What AWS allows the account, or allowed it a while ago: one that AWS says nothing of must not keep its tenants waiting on
   * all their other accounts, which cannot be given their parts without it. @throws AWS's error
   */
  private async lookedAt(id: SendingAccountId): ReturnType<ObservationService['observe']> {
    try {
      return await this.observation.observe(id);
    } catch (error) {
      const last = await this.fleet.get(id);
      const ageMs = last.observedAt === null ? undefined : this.ledger.nowMs() - last.observedAt.getTime();
      if (!figuresAreGood(ageMs)) throw error;
      this.log.warn('AWS does not answer: a ledger is rebuilt from what it said last', {
        sendingAccount: id,
        ageMs,
        error,
      });
      return { before: last, seen: last };
    }
  }

  /** Pools whose IPs are warmed up, and their caps. */
  private async cappedLanes(id: SendingAccountId) {
    return (await this.fleet.lanes([id]))
      .map((lane) => ({ laneId: lane.id, ...warmUpCaps(lane.ips) }))
      .filter(({ dayCap, hourCap }) => dayCap !== null || hourCap !== null);
  }

  /** What Redis holds of an account that has left the fleet is of no use to anybody. */
  private async forgetRemoved(accounts: readonly SendingAccount[]): Promise<void> {
    const current = new Set(accounts.map(({ id }) => id));
    for (const id of this.kept) {
      if (current.has(id)) continue;
      await this.ledger.forget(id);
      this.bumped.delete(id);
      this.checkAt.delete(id);
      this.newer.forget(id);
      this.reopenedAt.delete(id);
      this.log.info('forgot the ledger of an account that was removed', { sendingAccount: id });
    }
    this.kept = current;
  }
}

function limitsOf(account: SendingAccount): ObservedLimits {
  return { quota: account.max24HourSend, rate: parseRate(account.maxSendRate), sesSent: account.sentLast24Hours };
}

function isUsable(account: SendingAccount): boolean {
  return account.sendingEnabled && account.state !== 'PAUSED' && account.state !== 'SUSPENDED';
}
