import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import { BillRepository } from '../bill/bill.repository';
import { VerdictRepository, type StoredVerdict } from '../verify/verdict.repository';

/** What is known of a month beside its own row. For operators. */
@Injectable()
export class PeriodOverview {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly bills: BillRepository,
    private readonly verdicts: VerdictRepository,
  ) {}

  /** What its last comparison with AWS's bill found. */
  alarms(period: string) {
    return this.uow.forSystem(() => this.bills.alarms(period));
  }

  /** AWS's reports of it, the last one first; superseded ones too. */
  imports(period: string) {
    return this.uow.forSystem(() => this.bills.imports(period));
  }

  /** What the worker found when it judged the month's books last; none before that. */
  judged(period: string): Promise<StoredVerdict[]> {
    return this.uow.forSystem(() => this.verdicts.of(period));
  }
}
