import { SpendGuard } from '@libs/billing';
import { Injectable } from '@nestjs/common';
import { Tick } from './tick.decorator';

@Injectable()
export class SpendTicks {
  constructor(private readonly spend: SpendGuard) {}

  @Tick({ name: 'spend', everyMs: 60_000 })
  guardSpending(): Promise<void> {
    return this.spend.check();
  }
}
