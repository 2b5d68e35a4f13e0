import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { ACCEPT_LIMITS } from './accept-limits';
import { IdempotencyRepository } from './idempotency.repository';

const PER_RUN = 5_000;

/** Keeps idempotency keys for 72 h and no longer. */
@Injectable()
export class IdempotencyService {
  constructor(
    private readonly calls: IdempotencyRepository,
    private readonly uow: UnitOfWork,
    private readonly clock: EngineClock,
  ) {}

  /** For a tick of the worker: forgets what is over 72 h old, at most 5,000 a run, and answers how many. */
  forgetOld(): Promise<number> {
    const before = new Date(this.clock.nowMs() - ACCEPT_LIMITS.idempotencyMs);
    return this.uow.forSystem(() => this.calls.forgetBefore(before, PER_RUN));
  }
}
