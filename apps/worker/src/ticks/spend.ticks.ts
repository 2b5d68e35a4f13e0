import { SpendGuard } from '@libs/billing';
import { ClockWatch } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { Tick } from './tick.decorator';

@Injectable()
export class SpendTicks {
  constructor(
    private readonly spend: SpendGuard,
    private readonly clocks: ClockWatch,
  ) {}

  @Tick({ name: 'spend', everyMs: 60_000 })
  async guardSpending(): Promise<void> {
    // Another month has other charges, and none of the holds of this one.
    if (this.clocks.isRight) await this.spend.check();
  }
}
