import { AuditService } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import type { SendingAccount } from '@libs/fleet';
import { Timers, toPublicId, type MessageId, type SendingAccountId } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { regionServes } from '../accept.policy';
import { ReadyOffers } from '../backlog-offer.service';
import { BacklogRepository, FIRST } from '../backlog.repository';
import { EngineAccounts } from './engine-accounts.service';
import { EngineSettings } from './engine.settings';
import { FeederRepository, type WaitingLine } from './feeder.repository';
import { closedBy, DAY_PATIENCE, roomOf, takersOf, type Closed, type Sibling } from './reroute.policy';
import { groupBy, inTurns } from './side-by-side';
import { RerouterRepository, type StuckLine, type StuckMessage } from './rerouter.repository';

const PAGE = 500;
/** Pages of one line in one run: another line's turn comes, and the next run goes on from there. */
const PAGES = 10;
const LOCK_MS = 3_000;
/** Ledgers asked at once. */
const SIDE_BY_SIDE = 8;

interface Closure {
  readonly why: Closed;
  /** Real milliseconds of this process. */
  readonly since: number;
  /** How far each line was looked through for each sibling, where it is longer than one run. */
  readonly reached: Map<string, MessageId>;
}

/**
 * Sends what waits for a closed account through a sibling: same tier, open, with room, where the tenant's set and identity
 * are ready. What was moved stays there; new mail follows the placement, so the tenant is back by itself when its account is.
 */
@Injectable()
export class Rerouter {
  private readonly closures = new Map<SendingAccountId, Closure>();
  private readonly rerouted;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: RerouterRepository,
    private readonly lines: FeederRepository,
    private readonly backlog: BacklogRepository,
    private readonly offers: ReadyOffers,
    private readonly accounts: EngineAccounts,
    private readonly ledger: Ledger,
    private readonly audit: AuditService,
    private readonly settings: EngineSettings,
    private readonly timers: Timers,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.rerouted = metrics.counter('messages_rerouted_total', 'Messages moved off a closed account');
  }

  /** Answers how many messages were moved. */
  async reroute(): Promise<number> {
    const now = new Date(this.ledger.nowMs());
    const waiting = await this.uow.forLooks((looks) => this.lines.within(looks).lines(now, this.ledger.countedSince()));
    const homes = groupBy(
      waiting.filter(({ paused }) => !paused),
      (line) => line.sendingAccountId,
    );
    for (const id of this.closures.keys()) if (!homes.has(id)) this.closures.delete(id);
    let moved = 0;
    for (const [account, lines] of await this.closed(homes)) {
      const { id } = account;
      // Whoever feeds an account moves its mail too.
      if (!(await this.ledger.hold(id, 'feed', this.settings.worker, LOCK_MS))) continue;
      for (const line of lines) moved += await this.moveLine(account, line);
    }
    this.rerouted.inc(moved);
    return moved;
  }

  /** Which of these accounts have been closed for long, with the lines that wait there. */
  private async closed(
    homes: ReadonlyMap<SendingAccountId, WaitingLine[]>,
  ): Promise<Map<SendingAccount, WaitingLine[]>> {
    const closed = new Map<SendingAccount, WaitingLine[]>();
    // Asked together: to wake an idle Redis costs more than the question.
    await inTurns(SIDE_BY_SIDE, [...homes], async ([id, lines]) => {
      const account = await this.accounts.find(id);
      if (account && (await this.isClosedForLong(account))) closed.set(account, lines);
    }).catch((error: unknown) => {
      this.log.warn('not every account could be asked whether it is closed', { error });
    });
    return closed;
  }

  private async isClosedForLong(account: SendingAccount): Promise<boolean> {
    const stats = await this.ledger.stats(account.id);
    const why = closedBy(account, stats?.epoch === account.epoch ? stats : undefined);
    if (why === undefined) {
      this.closures.delete(account.id);
      return false;
    }
    const now = this.timers.monotonicMs();
    const known = this.closures.get(account.id);
    if (!known) this.closures.set(account.id, { why, since: now, reached: new Map() });
    const patience = this.settings.rerouteAfterMs * (why === 'day' ? DAY_PATIENCE : 1);
    return now - (known?.since ?? now) >= patience;
  }

  private async moveLine(home: SendingAccount, waiting: WaitingLine): Promise<number> {
    const line: StuckLine = { ...waiting, mode: home.mode };
    const siblings = takersOf(await this.openSiblings(line));
    let moved = 0;
    for (const sibling of siblings) {
      const takes = ({ region }: StuckMessage) => siblings.find((one) => regionServes(region, one.region)) === sibling;
      moved += await this.moveTo(sibling, line, waiting, takes);
    }
    // Its ready list on the closed account names messages that are no longer there.
    if (moved > 0) await this.ledger.drop(home.id, line.tenantId, line.stream);
    return moved;
  }

  private async moveTo(
    sibling: Sibling,
    line: StuckLine,
    waiting: WaitingLine,
    takes: (message: StuckMessage) => boolean,
  ): Promise<number> {
    const { sendingAccountId, laneId } = sibling;
    const { tenantId, mode, stream } = line;
    // It stands on two accounts by now.
    const limits = { ...waiting.limits, laneId, leased: true };
    let { room } = sibling;
    let moved = 0;
    const reached = this.closures.get(line.sendingAccountId)?.reached;
    const name = `${tenantId} ${stream} ${sendingAccountId}`;
    let after: MessageId | undefined = reached?.get(name) ?? FIRST;
    for (let page = 0; page < PAGES && after !== undefined && room > 0; page += 1) {
      const { last, messages } = await this.movePage(line, sibling, after, (held) => within(room, held.filter(takes)));
      after = last;
      moved += messages.length;
      room -= messages.reduce((sum, message) => sum + message.recipients, 0);
      if (messages.length > 0)
        await this.offers.offer([{ tenantId, mode, sendingAccountId, stream, limits, messages }]);
    }
    // What could not be moved keeps its place before that; where room was short the oldest go first once there is some.
    if (after !== undefined && room > 0) reached?.set(name, after);
    else reached?.delete(name);
    return moved;
  }

  private async openSiblings(line: StuckLine): Promise<Sibling[]> {
    const siblings: Sibling[] = [];
    const now = new Date(this.ledger.nowMs());
    for (const target of await this.uow.forSystem(() => this.rows.siblings(line, now))) {
      const account = await this.accounts.find(target.sendingAccountId);
      const stats = await this.ledger.stats(target.sendingAccountId);
      // Without a ledger of its epoch nothing is known of it; it may be next time.
      if (!account || stats?.epoch !== account.epoch || closedBy(account, stats) !== undefined) continue;
      siblings.push({ ...target, room: roomOf(stats) });
    }
    return siblings;
  }

  private movePage(
    line: StuckLine,
    to: Sibling,
    after: MessageId,
    choose: (held: readonly StuckMessage[]) => readonly StuckMessage[],
  ): Promise<{ last: MessageId | undefined; messages: readonly StuckMessage[] }> {
    return this.uow.forSystem(async () => {
      const ids = await this.rows.page(line, after, PAGE);
      const messages = choose(await this.rows.hold(line, ids, to.sendingAccountId));
      if (messages.length > 0) {
        const now = new Date(this.ledger.nowMs());
        await this.backlog.place(
          line.tenantId,
          messages.map(({ id }) => ({ id, to })),
        );
        await this.rows.note(line.tenantId, messages, now);
        if (await this.rows.decide(line, to.sendingAccountId, now)) await this.announce(line, to);
      }
      return { last: ids.length === PAGE ? ids.at(-1) : undefined, messages };
    });
  }

  /** Once per tenant, stream and account, not per message. */
  private async announce(line: StuckLine, to: Sibling): Promise<void> {
    const detail = {
      stream: line.stream,
      from: toPublicId('sendingAccount', line.sendingAccountId),
      to: toPublicId('sendingAccount', to.sendingAccountId),
      why: this.closures.get(line.sendingAccountId)?.why,
    };
    this.log.warn('mail of a closed account goes through a sibling', { tenant: line.tenantId, ...detail });
    await this.audit.record({
      actor: 'worker',
      action: 'message.reroute',
      subject: toPublicId('tenant', line.tenantId),
      tenant: line.tenantId,
      detail,
    });
  }
}

/** The first of them that fit. */
function within(room: number, messages: readonly StuckMessage[]): StuckMessage[] {
  let left = room;
  return messages.filter(({ recipients }) => {
    left -= recipients;
    return left >= 0;
  });
}
