import { closePeriod, CloseService } from '@libs/billing';
import { Injectable } from '@nestjs/common';
import { Processes } from '../processing/processes.decorator';

@Injectable()
export class BillingProcessor {
  constructor(private readonly closing: CloseService) {}

  @Processes(closePeriod, { concurrency: 1 })
  close({ period }: { period: string }): Promise<unknown> {
    return this.closing.run(period);
  }
}
