import { SendEngine } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { Tick } from './tick.decorator';

/** Closes every gap between PostgreSQL, Redis and Bull; none of them needs a leader. */
@Injectable()
export class EngineTicks {
  constructor(private readonly engine: SendEngine) {}

  @Tick({ name: 'ledger', everyMs: 500 })
  keepLedgers(): Promise<void> {
    return this.engine.keepLedgers();
  }

  @Tick({ name: 'observe', everyMs: 60_000 })
  observe(): Promise<void> {
    return this.engine.observeAccounts();
  }

  /** An account that AWS has paused goes on soon after AWS lets it. */
  @Tick({ name: 'observe-paused', everyMs: 10_000 })
  observePaused(): Promise<void> {
    return this.engine.observePaused();
  }

  @Tick({ name: 'pumps', everyMs: 500 })
  pumps(): Promise<void> {
    return this.engine.tendPumps();
  }

  @Tick({ name: 'feed', everyMs: 500 })
  feed(): Promise<unknown> {
    return this.engine.feed();
  }

  @Tick({ name: 'sweep', everyMs: 1_000 })
  sweep(): Promise<void> {
    return this.engine.sweep();
  }

  @Tick({ name: 'resolve', everyMs: 1_000 })
  resolve(): Promise<unknown> {
    return this.engine.resolveDoubts();
  }

  @Tick({ name: 'reroute', everyMs: 2_000 })
  reroute(): Promise<unknown> {
    return this.engine.reroute();
  }

  @Tick({ name: 'stranded-routes', everyMs: 10_000 })
  restoreRoutes(): Promise<void> {
    return this.engine.restoreRoutes();
  }

  @Tick({ name: 'expire', everyMs: 1_000 })
  expire(): Promise<unknown> {
    return this.engine.releaseAndExpire();
  }

  @Tick({ name: 'fairness', everyMs: 10_000 })
  measureFairness(): Promise<void> {
    return this.engine.measureFairness();
  }
}
