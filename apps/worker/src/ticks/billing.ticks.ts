import { closePeriod, CloseService, NightlyVerify, PeriodService } from '@libs/billing';
import { JobQueue } from '@libs/queueing';
import { ClockWatch } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { Tick } from './tick.decorator';

@Injectable()
export class BillingTicks {
  constructor(
    private readonly periods: PeriodService,
    private readonly closing: CloseService,
    private readonly jobs: JobQueue,
    private readonly nightly: NightlyVerify,
    private readonly clocks: ClockWatch,
  ) {}

  /** What is asked stands in the month's row: a job that was lost is made again. */
  @Tick({ name: 'billing-close', everyMs: 3_000 })
  async closeAsked(): Promise<void> {
    for (const { period } of await this.periods.asked()) await this.jobs.enqueue(closePeriod, { period });
  }

  @Tick({ name: 'billing-refresh', everyMs: 600_000 })
  async keepUpToDate(): Promise<void> {
    if (this.clocks.isRight) await this.closing.keepUpToDate();
  }

  /** Looks often, judges once a night: whichever worker looks first when it is due. */
  @Tick({ name: 'billing-verify', everyMs: 600_000 })
  async judgeBooks(): Promise<void> {
    if (this.clocks.isRight) await this.nightly.judge();
  }
}
