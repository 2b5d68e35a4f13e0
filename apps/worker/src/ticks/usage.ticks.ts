import { UsageRollUpService } from '@libs/billing';
import { EngineClock } from '@libs/kernel';
import { Log } from '@libs/observability';
import { ClockWatch, RetentionService } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { Tick } from './tick.decorator';

/** What was used is counted before it is forgotten; neither by a clock that is wrong. */
@Injectable()
export class UsageTicks {
  constructor(
    private readonly usage: UsageRollUpService,
    private readonly retention: RetentionService,
    private readonly clock: EngineClock,
    private readonly clocks: ClockWatch,
    private readonly log: Log,
  ) {}

  @Tick({ name: 'usage', everyMs: 300_000 })
  async countDays(): Promise<void> {
    if (!this.clocks.isRight) return;
    const days = await this.usage.rollUpThrough(this.clock.now());
    if (days.length > 0) this.log.info('usage of days was counted', { days });
  }

  @Tick({ name: 'retention', everyMs: 600_000 })
  async forgetOldMail(): Promise<void> {
    if (!this.clocks.isRight) return;
    await this.retention.apply(await this.usage.attemptsNeededFrom(this.clock.now()));
  }
}
