import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import { BillRepository } from '../bill/bill.repository';

/** What is known of a month beside its own row. For operators. */
@Injectable()
export class PeriodOverview {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly bills: BillRepository,
  ) {}

  /** What its last comparison with AWS's bill found. */
  alarms(period: string) {
    return this.uow.forSystem(() => this.bills.alarms(period));
  }

  /** AWS's reports of it, the last one first; superseded ones too. */
  imports(period: string) {
    return this.uow.forSystem(() => this.bills.imports(period));
  }
}
