import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Outbox } from '@libs/queueing';
import { Injectable } from '@nestjs/common';
import { parsePeriod } from '../billing-period.policy';
import { checkCountable, type Day } from './roll-up.policy';
import { RollUpRepository, type RollUp } from './roll-up.repository';
import { countUsageDay } from './usage.jobs';

/** Which days are counted; a worker counts. For operators. */
@Injectable()
export class UsageDays {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rollUps: RollUpRepository,
    private readonly outbox: Outbox,
    private readonly clock: EngineClock,
    private readonly audit: AuditService,
  ) {}

  /** The days of a month that are counted, in order. @throws DomainError INVALID_INPUT (period) */
  counted(period: string): Promise<RollUp[]> {
    const { start, end } = parsePeriod(period);
    return this.uow.forSystem(() => this.rollUps.all({ from: start, to: end }));
  }

  /**
   * Asks for a day to be counted now, for the first time or again. The worker does it by itself when it is due; what is found
   * new is booked as a difference.
   * @returns how it is counted so far; null = not yet
   * @throws DomainError INVALID_INPUT (day) for one that is not over for two hours; CONFLICT (day) when its attempts are dropped
   */
  ask(day: Day, by: Author): Promise<RollUp | null> {
    return this.uow.forSystem(async () => {
      checkCountable(day, this.clock.now(), await this.rollUps.attemptsDroppedBefore());
      await this.outbox.add(countUsageDay, { day });
      await this.audit.record({ ...by, action: 'usage.count', subject: `day:${day}`, detail: {} });
      return (await this.rollUps.find(day)) ?? null;
    });
  }
}
