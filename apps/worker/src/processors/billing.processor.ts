import { closePeriod, CloseService, countUsageDay, UsageRollUpService } from '@libs/billing';
import { Injectable } from '@nestjs/common';
import { Processes } from '../processing/processes.decorator';

@Injectable()
export class BillingProcessor {
  constructor(
    private readonly closing: CloseService,
    private readonly usage: UsageRollUpService,
  ) {}

  @Processes(closePeriod, { concurrency: 1 })
  close({ period }: { period: string }): Promise<unknown> {
    return this.closing.run(period);
  }

  @Processes(countUsageDay, { concurrency: 1 })
  countDay({ day }: { day: string }): Promise<unknown> {
    return this.usage.rollUp(day);
  }
}
