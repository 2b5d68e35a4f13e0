import { UnitOfWork } from '@libs/database';
import { newId, STREAMS, Timers, type MessageId, type SendingAccountId, type Stream } from '@libs/kernel';
import { Ledger, parseRate, type QueuedMessage } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { FIRST } from '../backlog.repository';
import { EngineAccounts } from './engine-accounts.service';
import { EngineSettings } from './engine.settings';
import { FEED_LOCK_MS, FeedLines } from './feed-lines.service';
import { BACKLOGGED, idAtAge, readyWindow, restOfLists, SWEEP_MS } from './feeder.policy';
import { FeederRepository, type Page, type WaitingLine } from './feeder.repository';
import { costOfLook, restAfterLook } from './look-pace.policy';
import { groupBy, inTurns } from './side-by-side';

/** What is younger was offered by the api itself a moment ago, and may not be committed in the order of its ids. */
const SETTLED_MS = 2_000;
/** Ids that are ahead of time by more than clocks may differ were given by an api whose clock was wrong: looked for this often, milliseconds. */
const AHEAD_MS = 5_000;
const AHEAD_EVERY_MS = 5_000;
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
/** How often it is asked who waits at all, real milliseconds. */
const LINES_MS = 1_000;
/** How often an unchanged plan is told to the ledger again, real milliseconds. */
const TELL_MS = 30_000;
/** After a change an api may offer by what it had read before: for so long what changed is told again this often, real milliseconds. */
const SETTLES_MS = 10_000;
const TELL_CHANGED_MS = 2_000;
/** Messages of a line read at a time. */
const MOST_ROWS = 5_000;
/** Lines read by one statement. */
const LINES_A_READ = 100;
/** Ledgers asked side by side. */
const SIDE_BY_SIDE = 32;

/** A line as this process feeds it. */
interface Feeding {
  line: WaitingLine;
  /** Everything up to this message has been offered. */
  after: MessageId;
  /** Nothing was left after it when it was last read. */
  drained: boolean;
  /** When it was last begun from the start, real milliseconds. */
  sweptAt: number;
  /** When ids that are ahead of time were looked for last, real milliseconds. */
  aheadAt: number;
  /** Of the ledger that was fed: a new one knows nothing. */
  epoch: bigint | undefined;
  /** The limits that the ledger was told last, and when; when it was told others before. */
  told: { readonly limits: string; readonly at: number; readonly changedAt: number } | undefined;
}

interface Hungry {
  readonly feeding: Feeding;
  /** Messages in its ready list. */
  readonly listed: number;
  /** How many it may hold. */
  readonly window: number;
}

/**
 * Keeps the ready lists in Redis filled from PostgreSQL: what was never offered, what did not fit, what Redis lost. It goes
 * forward from a cursor, so that a feed costs what it finds; now and then from the start, because rows are not committed in
 * the order of their ids and messages come back. One process feeds an account at a time.
 */
@Injectable()
export class Feeder {
  private readonly lines = new Map<string, Feeding>();
  private readonly sweepAt: Record<Stream, number> = { TRANSACTIONAL: 0, MARKETING: 0 };
  /** Until when each account's lists are long enough, real milliseconds. */
  private readonly lookAt = new Map<SendingAccountId, number>();
  private linesAt = Number.NEGATIVE_INFINITY;
  /** What asking who waits cost when it was done last, real milliseconds. */
  private linesMs = 0;
  /** What reading from the start cost when it was done last, real milliseconds. */
  private fromStartMs = 0;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: FeederRepository,
    private readonly accounts: EngineAccounts,
    private readonly ledger: Ledger,
    private readonly feedLines: FeedLines,
    private readonly settings: EngineSettings,
    private readonly timers: Timers,
  ) {}

  /** Answers how many messages were queued. Rejects when an account's lists could not be looked at, after feeding the others. */
  async feed(): Promise<number> {
    if (this.timers.monotonicMs() >= this.linesAt) await this.findLines();
    this.startSweeps();
    const perAccount = groupBy([...this.lines.values()], ({ line }) => line.sendingAccountId);
    const hungry: Hungry[] = [];
    const looks = inTurns(SIDE_BY_SIDE, [...perAccount], async ([account, feedings]) => {
      hungry.push(...(await this.hungryOf(account, feedings)));
    });
    await looks.catch(() => undefined);
    const queued = await this.fillHungry(hungry);
    await looks;
    return queued;
  }

  private async fillHungry(hungry: readonly Hungry[]): Promise<number> {
    const fromStart = hungry.filter(({ feeding }) => feeding.after === FIRST);
    const began = this.timers.monotonicMs();
    let queued = await this.fillAll(fromStart);
    if (fromStart.length > 0) this.fromStartMs = this.timers.monotonicMs() - began;
    queued += await this.fillAll(hungry.filter((one) => !fromStart.includes(one)));
    return queued;
  }

  private async fillAll(hungry: readonly Hungry[]): Promise<number> {
    let queued = 0;
    for (const someDomains of [false, true]) {
      const alike = hungry.filter(({ feeding }) => feeding.line.someDomains === someDomains);
      for (let i = 0; i < alike.length; i += LINES_A_READ) queued += await this.fill(alike.slice(i, i + LINES_A_READ));
    }
    return queued;
  }

  /** Who waits at all. A look that finds thousands is paced by what it costs. */
  private async findLines(): Promise<void> {
    const began = this.timers.monotonicMs();
    const found = await this.feedLines.find();
    const seen = new Set<string>();
    for (const line of found) {
      const key = `${line.sendingAccountId}:${line.stream}:${line.tenantId}`;
      seen.add(key);
      const known = this.lines.get(key);
      if (known) known.line = line;
      else this.lines.set(key, newFeeding(line, began));
    }
    for (const key of this.lines.keys()) if (!seen.has(key)) this.lines.delete(key);
    const ended = this.timers.monotonicMs();
    this.linesAt = ended + restAfterLook(LINES_MS, costOfLook(this.linesMs, ended - began));
    this.linesMs = ended - began;
  }

  private startSweeps(): void {
    const now = this.timers.monotonicMs();
    for (const stream of STREAMS) {
      if (now < this.sweepAt[stream]) continue;
      this.sweepAt[stream] = now + restAfterLook(SWEEP_MS[stream], this.fromStartMs);
      for (const feeding of this.lines.values()) {
        const mayWait = !feeding.drained && now - feeding.sweptAt < SWEEP_MS[stream] * BACKLOGGED;
        if (feeding.line.stream !== stream || mayWait) continue;
        Object.assign(feeding, { after: FIRST, drained: false, sweptAt: now });
      }
    }
  }

  /** The lines of an account whose lists in Redis are short, as far as this process is the one that feeds it. */
  private async hungryOf(account: SendingAccountId, feedings: readonly Feeding[]): Promise<Hungry[]> {
    const known = await this.accounts.find(account);
    if (!known) return [];
    const now = this.timers.monotonicMs();
    const isNews = feedings.some((feeding) => feeding.epoch !== known.epoch || isUnsettled(feeding));
    if (!isNews && now < (this.lookAt.get(account) ?? 0)) return [];
    this.lookAt.delete(account);
    if (!(await this.ledger.hold(account, 'feed', this.settings.worker, FEED_LOCK_MS))) return [];
    const ready = await this.ledger.ready(account);
    if (ready?.epoch !== known.epoch) return [];
    const lists = new Map(ready.lists.map((list) => [`${list.stream}:${list.tenantId}`, list.messages]));
    const share = readyWindow(parseRate(known.maxSendRate), feedings.length);
    const hungry: Hungry[] = [];
    const full: number[] = [];
    for (const feeding of feedings) {
      const listed = lists.get(`${feeding.line.stream}:${feeding.line.tenantId}`) ?? 0;
      const window = feeding.line.probing ? 1 : share;
      if (feeding.epoch !== ready.epoch) {
        Object.assign(feeding, { after: FIRST, drained: false, epoch: ready.epoch, told: undefined });
      }
      if (feeding.line.paused) {
        // Grants for mail that may not go would cost the other tenants of the account their rate.
        if (listed > 0) await this.ledger.drop(account, feeding.line.tenantId, feeding.line.stream);
        Object.assign(feeding, { after: FIRST, drained: false });
      } else if (listed > window / 2) {
        // What did not fit is read once there is room. A changed plan cannot wait for that: it could take a day.
        feeding.drained = false;
        full.push(listed);
        await this.tell(feeding);
      } else if (!feeding.drained) hungry.push({ feeding, listed, window });
      else await this.tell(feeding);
    }
    if (hungry.length === 0) this.lookAt.set(account, now + restOfLists(full, share, parseRate(known.maxSendRate)));
    return hungry;
  }

  private async tell(feeding: Feeding): Promise<void> {
    if (!isTold(feeding, this.timers.monotonicMs())) await this.offer(feeding, [], 0);
  }

  private async offer(feeding: Feeding, messages: readonly QueuedMessage[], window: number): Promise<number> {
    const { line } = feeding;
    const { sendingAccountId, tenantId, stream, limits } = line;
    const queued = await this.ledger.offer(sendingAccountId, tenantId, stream, limits, messages, window);
    const [key, at] = [limitsKey(line), this.timers.monotonicMs()];
    const { limits: before = key, changedAt = Number.NEGATIVE_INFINITY } = feeding.told ?? {};
    feeding.told = { limits: key, at, changedAt: before === key ? changedAt : at };
    return queued;
  }

  private async fill(hungry: readonly Hungry[]): Promise<number> {
    const pages = hungry.map(({ feeding, listed, window }): Page => ({
      line: feeding.line,
      after: feeding.after,
      limit: Math.min(window - listed, MOST_ROWS),
    }));
    const found = await this.read(pages, idAtAge(newId<MessageId>(), SETTLED_MS));
    const ahead = await this.readAhead(hungry, pages);
    let queued = 0;
    await inTurns(SIDE_BY_SIDE, [...hungry.entries()], async ([i, { feeding, listed, window }]) => {
      const settled = found[i] ?? [];
      const messages = [...settled, ...(ahead.get(feeding) ?? [])];
      const drained = settled.length < (pages[i]?.limit ?? 0);
      // Nothing waits that could not be listed already: a look from the start costs no offer then.
      if (drained && feeding.after === FIRST && messages.length <= listed) await this.tell(feeding);
      else queued += await this.offer(feeding, messages, window);
      feeding.after = settled.at(-1)?.id ?? feeding.after;
      feeding.drained = drained;
    });
    return queued;
  }

  private read(pages: readonly Page[], before: string): Promise<QueuedMessage[][]> {
    return this.uow.forLooks((looks) => this.rows.within(looks).ready(pages, before, new Date(this.ledger.nowMs())));
  }

  /**
   * Of lines that are looked at from the start: messages whose ids are ahead of time. No cursor goes there, or it would pass over
   * all that is accepted until then.
   */
  private async readAhead(
    hungry: readonly Hungry[],
    pages: readonly Page[],
  ): Promise<ReadonlyMap<Feeding, readonly QueuedMessage[]>> {
    const now = this.timers.monotonicMs();
    const after = idAtAge(newId<MessageId>(), -AHEAD_MS) as MessageId;
    const due = hungry.flatMap(({ feeding }, i) => {
      const page = pages[i];
      const isDue = feeding.after === FIRST && now - feeding.aheadAt >= AHEAD_EVERY_MS;
      return isDue && page ? [{ feeding, page: { ...page, after } }] : [];
    });
    if (due.length === 0) return new Map();
    const found = await this.read(
      due.map(({ page }) => page),
      LAST,
    );
    return new Map(
      due.map(({ feeding }, i) => {
        feeding.aheadAt = now;
        return [feeding, found[i] ?? []];
      }),
    );
  }
}

function newFeeding(line: WaitingLine, now: number): Feeding {
  return { line, after: FIRST, drained: false, sweptAt: now, aheadAt: now, epoch: undefined, told: undefined };
}

/** Something about it is to be done, whatever its list holds. */
function isUnsettled({ line, after, drained, told }: Feeding): boolean {
  return line.paused || told?.limits !== limitsKey(line) || (after === FIRST && !drained);
}

/** Told again once in a while: an offer that read the plan before it changed may have come after ours. */
function isTold({ line, told }: Feeding, now: number): boolean {
  if (told?.limits !== limitsKey(line)) return false;
  return now - told.at < (now - told.changedAt < SETTLES_MS ? TELL_CHANGED_MS : TELL_MS);
}

function limitsKey({ limits }: WaitingLine): string {
  const { weight, dayCap, rate, laneId, leased } = limits;
  return [weight, dayCap, rate?.num, rate?.den, laneId, leased].map(String).join(' ');
}
