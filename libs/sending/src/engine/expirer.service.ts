import { UnitOfWork } from '@libs/database';
import { Timers } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { ReadyOffers } from '../backlog-offer.service';
import { ExpirerRepository } from './expirer.repository';
import { LookPace } from './look-pace';

const PAGE = 500;
/** Pages of a run, each a transaction of its own: a campaign that is due goes at the rate of its accounts, not at this one's. */
const MOST_PAGES = 20;
/** How often something may be due, real milliseconds: as often as a worker asks. */
const LOOK_MS = 1_000;
const NOTHING = { scheduled: false, over: false };

/** Lets scheduled messages go when they are due, and ends what waited too long: loudly, never silently. */
@Injectable()
export class Expirer {
  private readonly pace: LookPace;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: ExpirerRepository,
    private readonly ledger: Ledger,
    private readonly offers: ReadyOffers,
    private readonly log: Log,
    timers: Timers,
  ) {
    this.pace = new LookPace(timers, LOOK_MS);
  }

  /** The look is paced by what it costs: it passes over what was released while a transaction was held for long. */
  async run(): Promise<{ released: number; expired: number }> {
    // Not this host's clock: set ahead by an hour, it would end all that waits before anybody has noticed.
    const now = new Date(this.ledger.nowMs());
    const look = () => this.uow.forLooks((looks) => this.rows.within(looks).isDue(now));
    const due = (await this.pace.look(look)) ?? NOTHING;
    const released = due.scheduled ? await this.pages(() => this.release(now)) : 0;
    const expired = due.over ? await this.pages(() => this.expire(now)) : 0;
    if (expired > 0) this.log.warn('messages expired before they could be sent', { count: expired });
    return { released, expired };
  }

  private release(now: Date): Promise<number> {
    return this.uow.forSystem(() => this.rows.release(now, PAGE));
  }

  private async expire(now: Date): Promise<number> {
    const expired = await this.uow.forSystem(() => this.rows.expire(now, PAGE));
    await this.offers.withdraw(expired);
    return expired.length;
  }

  /** Page after page while they are full: another worker may have taken a part of one. */
  private async pages(next: () => Promise<number>): Promise<number> {
    let all = 0;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const found = await next();
      all += found;
      if (found < PAGE) break;
    }
    return all;
  }
}
