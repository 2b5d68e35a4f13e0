import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { parsePeriod } from '../billing-period.policy';
import {
  bookingPeriod,
  checkCountable,
  dayOf,
  isDueAgain,
  lifeAfter,
  lifeBefore,
  monthOf,
  nextDay,
  spanOfDay,
  watermark,
  type Day,
} from './roll-up.policy';
import { RollUpRepository, type RollUp } from './roll-up.repository';

const HOUR_MS = 3_600_000;

/**
 * Counts what was used, day by day. What is stored of a day is a function of the facts; facts that come later are booked
 * as differences, so that nothing that was billed is ever changed. For the worker.
 */
@Injectable()
export class UsageRollUpService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rollUps: RollUpRepository,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Counts a day that is over, for the first time or again; counting twice is counting once.
   * @param day `YYYY-MM-DD`, UTC
   * @throws DomainError INVALID_INPUT (day) for one that is not over for two hours; CONFLICT (day) when retention has dropped
   * its attempts: what is stored of it stays
   */
  rollUp(day: Day): Promise<RollUp> {
    checkCountable(day, this.clock.now(), undefined);
    return this.uow.forSystem(async () => {
      await this.rollUps.allowScans();
      await this.rollUps.lock(day);
      checkCountable(day, this.clock.now(), await this.rollUps.attemptsDroppedBefore());
      await this.rollUps.begin();
      const closed = await this.rollUps.closedPeriods();
      return this.rollUps.rollUp(day, this.clock.now(), bookingPeriod(day, closed));
    });
  }

  /**
   * Counts every day that is due, oldest first: those never counted, and those counted before all of it was known.
   * @returns the days counted
   */
  async rollUpThrough(now: Date): Promise<Day[]> {
    const due = await this.dueDays(now);
    for (const day of due) await this.rollUp(day);
    return due;
  }

  /**
   * Counts what is left of a month that is to be closed: days never counted, whatever events they still wait for, and those
   * of which more may be known by now. The fleet used nothing before its first account came.
   * @param period `YYYY-MM`, UTC
   * @returns the days counted
   * @throws DomainError INVALID_INPUT (period), and (day) when the month has not been over for two hours; CONFLICT (day) when
   * retention has dropped attempts of a day that was never counted
   */
  async rollUpMonth(period: string): Promise<Day[]> {
    const { start, end } = parsePeriod(period);
    const now = this.clock.now();
    const { beginning, rolled } = await this.uow.forSystem(async () => ({
      beginning: (await this.rollUps.beginning()) ?? end,
      rolled: await this.rollUps.all({ from: start, to: end }),
    }));
    const known = new Map(rolled.map((one) => [one.day, one]));
    const counted: Day[] = [];
    for (let day = dayOf(beginning > start ? beginning : start); day < dayOf(end); day = nextDay(day)) {
      const before = known.get(day);
      if (before && !isDueAgain(before, now)) continue;
      await this.rollUp(day);
      counted.push(day);
    }
    return counted;
  }

  /**
   * Counts again the days of a month whose last count, an hour ago or longer, left sends in doubt: what has been settled since is
   * booked. Days whose attempts retention has dropped stay as they are.
   * @param period `YYYY-MM`, UTC
   * @returns the days counted
   * @throws DomainError INVALID_INPUT (period)
   */
  async rollUpDoubtful(period: string): Promise<Day[]> {
    const { start, end } = parsePeriod(period);
    const now = this.clock.now();
    const days = await this.uow.forSystem(async () => {
      const dropped = await this.rollUps.attemptsDroppedBefore();
      return (await this.rollUps.all({ from: start, to: end }))
        .filter(({ inDoubt, rolledAt }) => inDoubt > 0n && now.getTime() - rolledAt.getTime() >= HOUR_MS)
        .map(({ day }) => day)
        .filter((day) => dropped === undefined || spanOfDay(day).from >= lifeAfter(dropped));
    });
    for (const day of days) await this.rollUp(day);
    return days;
  }

  /** After this nothing more is booked in a month that was closed before it was called. */
  awaitBookings(): Promise<void> {
    return this.uow.forSystem(() => this.rollUps.awaitBegun());
  }

  /**
   * The first day whose attempts must be kept: of those that are not counted yet, or whose month is not final. Null when
   * there is nothing to bill.
   */
  async attemptsNeededFrom(now: Date): Promise<Day | null> {
    return this.uow.forSystem(async () => {
      const beginning = await this.rollUps.beginning();
      if (beginning === undefined) return null;
      const closed = await this.rollUps.closedPeriods();
      const rolled = new Set((await this.rollUps.all()).map((one) => one.day));
      let day = dayOf(beginning);
      while (day < dayOf(now) && rolled.has(day) && closed.has(monthOf(day))) day = nextDay(day);
      return dayOf(lifeBefore(day));
    });
  }

  private dueDays(now: Date): Promise<Day[]> {
    return this.uow.forSystem(async () => {
      const beginning = await this.rollUps.beginning();
      if (beginning === undefined) return [];
      const dropped = await this.rollUps.attemptsDroppedBefore();
      const countable = dropped === undefined ? beginning : lifeAfter(dropped);
      const rolled = new Map((await this.rollUps.all()).map((one) => [one.day, one]));
      const due: Day[] = [];
      for (let day = dayOf(countable > beginning ? countable : beginning); ; day = nextDay(day)) {
        const state = watermark(day, now);
        if (state === 'running') return due;
        const known = rolled.get(day);
        if (known ? isDueAgain(known, now) : state === 'ready' || !(await this.rollUps.hasOpenEvents(now))) {
          due.push(day);
        }
      }
    });
  }
}
