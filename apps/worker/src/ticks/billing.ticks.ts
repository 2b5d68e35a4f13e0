import { closePeriod, CloseService, NightlyVerify, PeriodService } from '@libs/billing';
import { JobQueue } from '@libs/queueing';
import { Injectable } from '@nestjs/common';
import { Tick } from './tick.decorator';

@Injectable()
export class BillingTicks {
  constructor(
    private readonly periods: PeriodService,
    private readonly closing: CloseService,
    private readonly jobs: JobQueue,
    private readonly nightly: NightlyVerify,
  ) {}

  /** What is asked stands in the month's row: a job that was lost is made again. */
  @Tick({ name: 'billing-close', everyMs: 3_000 })
  async closeAsked(): Promise<void> {
    for (const { period } of await this.periods.asked()) await this.jobs.enqueue(closePeriod, { period });
  }

  @Tick({ name: 'billing-refresh', everyMs: 600_000, byDate: true })
  keepUpToDate(): Promise<void> {
    return this.closing.keepUpToDate();
  }

  /** Looks often, judges once a night: whichever worker looks first when it is due. */
  @Tick({ name: 'billing-verify', everyMs: 600_000, byDate: true })
  judgeBooks(): Promise<void> {
    return this.nightly.judge();
  }
}
