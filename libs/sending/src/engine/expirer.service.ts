import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { ExpirerRepository } from './expirer.repository';

const PAGE = 500;

/** Lets scheduled messages go when they are due, and ends what waited too long: loudly, never silently. */
@Injectable()
export class Expirer {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: ExpirerRepository,
    private readonly clock: EngineClock,
    private readonly log: Log,
  ) {}

  async run(): Promise<{ released: number; expired: number }> {
    const now = this.clock.now();
    const due = await this.uow.forLooks((looks) => this.rows.within(looks).isDue(now));
    const released = due.scheduled ? await this.uow.forSystem(() => this.rows.release(now, PAGE)) : 0;
    const expired = due.over ? await this.uow.forSystem(() => this.rows.expire(now, PAGE)) : 0;
    if (expired > 0) this.log.warn('messages expired before they could be sent', { count: expired });
    return { released, expired };
  }
}
