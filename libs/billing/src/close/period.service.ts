import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { parsePeriod } from '../billing-period.policy';
import { BillingPeriodRepository, type BillingPeriod } from './billing-period.repository';
import { checkGoal, type CloseGoal } from './close.policy';

/** What is known of months, and what is asked of them; a worker does it. */
@Injectable()
export class PeriodService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly periods: BillingPeriodRepository,
    private readonly clock: EngineClock,
    private readonly audit: AuditService,
  ) {}

  /** How far a month is; undefined when nothing was ever asked of it. */
  async status(name: string): Promise<BillingPeriod | undefined> {
    const { name: period } = parsePeriod(name);
    return this.uow.forSystem(() => this.periods.find(period));
  }

  /** Every month that something is known of, newest first. */
  all(): Promise<BillingPeriod[]> {
    return this.uow.forSystem(() => this.periods.all());
  }

  /** Months that are asked to go somewhere. */
  async asked(): Promise<BillingPeriod[]> {
    return (await this.all()).filter((period) => period.goal !== null);
  }

  /**
   * Asks for a month to go somewhere; a worker takes it there. Asking twice is asking once.
   * @param withoutBill FINAL although no bill of AWS was held against it
   * @throws DomainError INVALID_INPUT (period), PeriodNotOver, PeriodFinal, PeriodNotReconciled
   */
  async ask(name: string, goal: CloseGoal, by: Author, { withoutBill = false } = {}): Promise<BillingPeriod> {
    const period = parsePeriod(name);
    return this.uow.forSystem(async () => {
      const now = this.clock.now();
      const found = await this.periods.lock(name);
      checkGoal(goal, { period, state: found.state, onItsWay: found.goal, now, withoutBill });
      if (found.state === 'FINAL') return found;
      await this.periods.ask(name, found.goal === 'FINAL' ? 'FINAL' : goal, withoutBill || found.withoutBill);
      const detail = { goal, withoutBill };
      await this.audit.record({ ...by, action: 'billing-period.close', subject: name, detail });
      return this.periods.lock(name);
    });
  }
}
