import { UsageRollUpService } from '@libs/billing';
import { EngineClock } from '@libs/kernel';
import { Log } from '@libs/observability';
import { RetentionService } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { Tick } from './tick.decorator';

/** What was used is counted before it is forgotten. */
@Injectable()
export class UsageTicks {
  constructor(
    private readonly usage: UsageRollUpService,
    private readonly retention: RetentionService,
    private readonly clock: EngineClock,
    private readonly log: Log,
  ) {}

  @Tick({ name: 'usage', everyMs: 300_000, byDate: true })
  async countDays(): Promise<void> {
    const days = await this.usage.rollUpThrough(this.clock.now());
    if (days.length > 0) this.log.info('usage of days was counted', { days });
  }

  @Tick({ name: 'retention', everyMs: 600_000, byDate: true })
  async forgetOldMail(): Promise<void> {
    await this.retention.apply(await this.usage.attemptsNeededFrom(this.clock.now()));
  }
}
