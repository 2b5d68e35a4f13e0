import { UnitOfWork } from '@libs/database';
import { Timers, type SendingAccountId } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { groupDoubts, watermarkOf, type DoubtGroup } from './doubt-evidence.policy';
import { EngineSettings } from './engine.settings';
import { isOld, isSilent, NOBODY_KNOWS, resolveDoubt, STILL_IN_DOUBT, type Watermark } from './in-doubt.policy';
import type { AttemptOutcome } from './outcome.repository';
import { OutcomeSifter } from './outcome-sifter.service';
import type { AttemptEnd } from './outcome.policy';
import { ResolverRepository, type DoubtRow } from './resolver.repository';

const PAGE = 1_000;
/** Spans of time whose neighbours are asked for in one run: each is a query over a few minutes of attempts. */
const GROUPS = 20;
/** Neighbours count within a minute before and after, less when the waiting time itself is short. */
const WINDOW_MS = 60_000;
/** What an account sent within this time after an old doubt counts too: around it nothing may have been sent. */
const LATER_MS = 600_000;
/** Old doubts are looked at this often, real milliseconds: their neighbours are many. */
const OLD_EVERY_MS = 15_000;
/** A silent pipeline is logged this often, real milliseconds. */
const ALARM_MS = 60_000;
const START = { endedAt: new Date(0), attemptId: '00000000-0000-0000-0000-000000000000' };

const NOT_SENT: AttemptEnd = {
  kind: 'unsent',
  code: 'NoSendEvent',
  message: 'Amazon SES never confirmed it, and confirmed all around it.',
};
const LAST_CHANCE: AttemptEnd = {
  kind: 'unsent',
  code: STILL_IN_DOUBT,
  message: 'Nobody knows whether Amazon SES took it, and its time is almost over: it goes once more.',
};

interface Settled {
  readonly outcomes: AttemptOutcome[];
  readonly over: DoubtRow[];
}

/**
 * Settles what nobody knows. The flight recorder and Send events settle most of it elsewhere; here silence becomes
 * evidence once all around an attempt was confirmed, and the message's policy decides when that never comes.
 */
@Injectable()
export class Resolver {
  private after: typeof START = START;
  private turn = 0;
  private alarmedAt = Number.NEGATIVE_INFINITY;
  private oldAt = Number.NEGATIVE_INFINITY;
  private readonly open;
  private readonly silent;
  private readonly settled;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: ResolverRepository,
    private readonly outcomes: OutcomeSifter,
    private readonly ledger: Ledger,
    private readonly settings: EngineSettings,
    private readonly timers: Timers,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.open = metrics.gauge('doubts_open', 'Messages in doubt seen by the last look, at most a page');
    this.silent = metrics.gauge('event_pipelines_silent', 'Accounts none of whose sends around a doubt were confirmed');
    this.settled = metrics.counter(
      'doubts_settled_total',
      'Doubts settled without an event, by how',
      ['how'],
      ['not-sent', 'last-chance', 'over'],
    );
  }

  /** Looks at the next page of doubts; answers how many were settled. */
  async resolve(): Promise<number> {
    const page = await this.uow.forLooks((looks) => this.rows.within(looks).doubts(this.after, PAGE));
    this.open.set(page.length);
    this.after = page.length === PAGE ? (page.at(-1) ?? START) : START;
    if (page.length === 0) {
      this.silent.set(0);
      return 0;
    }
    const now = this.ledger.nowMs();
    const { outcomes, over } = await this.judge(page, now);
    // Fewer than a group each time: those of one outage are as many as fit into a page.
    const ended =
      over.length === 0 ? 0 : await this.uow.forSystem(() => this.rows.end(over, NOBODY_KNOWS, new Date(now)));
    if (outcomes.length > 0) {
      await this.outcomes.write(outcomes);
      this.log.info('messages in doubt go again', { count: outcomes.length });
    }
    if (ended > 0) this.log.warn('messages stay in doubt for good: their time is over', { count: ended });
    this.settled.inc({ how: 'over' }, ended);
    return outcomes.length + ended;
  }

  private async judge(page: readonly DoubtRow[], now: number): Promise<Settled> {
    const settled: Settled = { outcomes: [], over: [] };
    const silent = new Set<SendingAccountId>();
    const { asked, left } = this.inTurn(this.groups(page, now));
    for (const group of asked) await this.judgeGroup(group, now, settled, silent);
    // What its time alone decides waits for no turn.
    for (const doubt of left.flatMap(({ doubts }) => doubts)) this.settle(doubt, undefined, now, settled);
    this.raise(silent);
    return settled;
  }

  /** Those whose neighbours are asked for now: doubts that are held for days must not keep the others from their turn. */
  private inTurn(groups: readonly DoubtGroup[]): { asked: readonly DoubtGroup[]; left: readonly DoubtGroup[] } {
    if (groups.length <= GROUPS) return { asked: groups, left: [] };
    const first = this.turn % groups.length;
    this.turn = first + GROUPS;
    const ordered = [...groups.slice(first), ...groups.slice(0, first)];
    return { asked: ordered.slice(0, GROUPS), left: ordered.slice(GROUPS) };
  }

  /** Those that may be judged by now, with their neighbourhoods. */
  private groups(page: readonly DoubtRow[], now: number): DoubtGroup[] {
    const waits = this.settings.inDoubtAfterMs;
    const windowMs = Math.min(WINDOW_MS, waits.TRANSACTIONAL, waits.MARKETING);
    const until = new Date(now - windowMs);
    const age = (doubt: DoubtRow) => now - doubt.endedAt.getTime();
    const isPatient = (doubt: DoubtRow) => isOld(age(doubt), waits[doubt.stream]);
    const due = page.filter((doubt) => doubt.expiresAt.getTime() <= now || age(doubt) >= waits[doubt.stream]);
    const groups = groupDoubts(
      due.filter((doubt) => !isPatient(doubt)),
      { beforeMs: windowMs, afterMs: windowMs, until: new Date(now) },
    );
    if (this.timers.monotonicMs() - this.oldAt < Math.min(OLD_EVERY_MS, windowMs)) return groups;
    const old = due.filter(isPatient);
    if (old.length > 0) this.oldAt = this.timers.monotonicMs();
    return [...groups, ...groupDoubts(old, { beforeMs: windowMs, afterMs: LATER_MS, until })];
  }

  private async judgeGroup(
    { from, to, doubts }: DoubtGroup,
    now: number,
    settled: Settled,
    silent: Set<SendingAccountId>,
  ): Promise<void> {
    const accounts = [...new Set(doubts.map((doubt) => doubt.sendingAccountId))];
    const sent = await this.uow.forSystem(() => this.rows.sentBetween(accounts, from, to));
    for (const doubt of doubts) {
      const watermark = watermarkOf(doubt, sent);
      if (isSilent(watermark)) silent.add(doubt.sendingAccountId);
      this.settle(doubt, watermark, now, settled);
    }
  }

  private settle(doubt: DoubtRow, watermark: Watermark | undefined, now: number, settled: Settled): void {
    const resolution = resolveDoubt({
      policy: doubt.policy,
      ageMs: now - doubt.endedAt.getTime(),
      leftMs: doubt.expiresAt.getTime() - now,
      waitMs: this.settings.inDoubtAfterMs[doubt.stream],
      watermark,
    });
    if (resolution === 'hold') return;
    if (resolution === 'over') {
      settled.over.push(doubt);
      return;
    }
    const { tenantId, messageId, attemptId } = doubt;
    const end = resolution === 'not-sent' ? NOT_SENT : LAST_CHANCE;
    settled.outcomes.push({ tenantId, messageId, attemptId, end, at: new Date(now) });
    this.settled.inc({ how: resolution });
  }

  /** Says that events do not come, while that holds messages up. */
  private raise(silent: ReadonlySet<SendingAccountId>): void {
    this.silent.set(silent.size);
    if (silent.size === 0 || this.timers.monotonicMs() - this.alarmedAt < ALARM_MS) return;
    this.alarmedAt = this.timers.monotonicMs();
    this.log.error('no events come from accounts that sent: messages in doubt are held', {
      sendingAccounts: [...silent].slice(0, 20),
      accounts: silent.size,
    });
  }
}
