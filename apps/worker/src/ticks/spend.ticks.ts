import { SpendGuard } from '@libs/billing';
import { Injectable } from '@nestjs/common';
import { Tick } from './tick.decorator';

@Injectable()
export class SpendTicks {
  constructor(private readonly spend: SpendGuard) {}

  /** Another month has other charges, and none of the holds of this one. */
  @Tick({ name: 'spend', everyMs: 60_000, byDate: true })
  guardSpending(): Promise<void> {
    return this.spend.check();
  }
}
