import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { ACCEPT_LIMITS } from './accept-limits';
import { IdempotencyRepository } from './idempotency.repository';

const PAGE = 5_000;
/** Pages of a run, each a transaction of its own: together more than two cores accept in the minute between two runs. */
const PAGES_PER_RUN = 20;

/** Keeps idempotency keys for 72 h and no longer. */
@Injectable()
export class IdempotencyService {
  constructor(
    private readonly calls: IdempotencyRepository,
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
  ) {}

  /** For a tick of the worker: forgets what is over 72 h old, at most 100,000 a run, and answers how many. */
  async forgetOld(): Promise<number> {
    const before = new Date(this.clock.nowMs() - ACCEPT_LIMITS.idempotencyMs);
    let forgotten = 0;
    for (let page = 0; page < PAGES_PER_RUN; page += 1) {
      const found = await this.uow.forSystem(() => this.calls.forgetBefore(before, PAGE));
      forgotten += found;
      if (found < PAGE) break;
    }
    return forgotten;
  }
}
