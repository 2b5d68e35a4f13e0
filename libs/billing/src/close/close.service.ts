import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { monthOf, parsePeriod, previousPeriod, type Period } from '../billing-period.policy';
import { BillRepository } from '../bill/bill.repository';
import { InvoiceService } from '../invoice/invoice.service';
import { UsageRollUpService } from '../usage/usage-roll-up.service';
import { BillingPeriodRepository, type BillingPeriod } from './billing-period.repository';
import { PeriodNotReconciled } from './close.errors';
import { CloseFailpoints } from './close-failpoints';
import { failpointOf, stateAfterClose, stepsTo, type CloseGoal, type CloseStep } from './close.policy';
import { MonthLinesService } from './month-lines.service';
import { ReconcileService } from './reconcile.service';

/** How long after its end a month is left alone, so that its last events arrive. */
const SETTLING_MS = 3 * 3_600_000;

/** Takes a month from OPEN to FINAL. Every step can be broken off and run again, by any process, with the same result. */
@Injectable()
export class CloseService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly periods: BillingPeriodRepository,
    private readonly lines: MonthLinesService,
    private readonly bills: BillRepository,
    private readonly reconciliation: ReconcileService,
    private readonly rollUps: UsageRollUpService,
    private readonly invoices: InvoiceService,
    private readonly clock: EngineClock,
    private readonly log: Log,
    private readonly failpoints: CloseFailpoints,
  ) {}

  /**
   * Takes the month where it was asked to go, from where it stands; nothing when nothing is asked. For the worker.
   * @throws what a step throws; the month keeps its failure and its goal, and can be run again
   */
  async run(name: string): Promise<BillingPeriod | undefined> {
    const period = parsePeriod(name);
    const found = await this.found(name);
    if (!found?.goal) return found;
    try {
      await this.take(period, found.goal, found);
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      await this.uow.forSystem(() => this.periods.failed(name, failure));
      throw error;
    }
    const reached = await this.found(name);
    this.log.info('billing period closed as far as asked', { period: name, state: reached?.state });
    return reached;
  }

  /**
   * Once a day: brings the running month's lines up to date, and asks for the close of one that is over. A month is known
   * from its first such day on, so that a process that lives for minutes computes nothing.
   */
  async keepUpToDate(): Promise<void> {
    const now = this.clock.now();
    const name = monthOf(now);
    const { before, running } = await this.uow.forSystem(async () => {
      const over = await this.periods.find(previousPeriod(name));
      if (
        over?.state === 'OPEN' &&
        over.goal === null &&
        now.getTime() >= parsePeriod(name).start.getTime() + SETTLING_MS
      ) {
        await this.periods.ask(over.period, 'PROVISIONAL', false);
      }
      const known = await this.periods.find(name);
      if (!known) await this.periods.ensure(name);
      return { before: known, running: known?.refreshedAt ?? null };
    });
    if (!before || (running !== null && dayOf(running) === dayOf(now))) return;
    await this.refresh(name);
  }

  /** Brings the stored lines of a month that is not over, or not asked anything, up to date. */
  async refresh(name: string): Promise<void> {
    const period = parsePeriod(name);
    const found = await this.uow.forSystem(() => this.periods.lock(name));
    if (found.state === 'FINAL' || found.goal !== null) return;
    await this.lines.compute(period);
    if ((await this.uow.forSystem(() => this.bills.current(name))).length > 0)
      await this.reconciliation.reconcile(period);
    await this.uow.forSystem(() => this.periods.progress(name, null, 0n, 0n));
  }

  private found(name: string): Promise<BillingPeriod | undefined> {
    return this.uow.forSystem(() => this.periods.find(name));
  }

  private async take(period: Period, goal: CloseGoal, found: BillingPeriod): Promise<void> {
    const { name } = period;
    const { hasBill, isWhole } = await this.billOf(name);
    for (const step of stepsTo(goal, found.step, hasBill)) {
      if (step === 'FINALISE_INVOICES' && !isWhole && !found.withoutBill) {
        throw new PeriodNotReconciled(name, 'PROVISIONAL');
      }
      await this.report(name, step)(0n, 0n);
      await this.runStep(step, period);
      this.failpoints.reach(failpointOf(step));
    }
    const now = this.clock.now();
    const state = goal === 'FINAL' ? goal : stateAfterClose(now >= period.end, isWhole);
    await this.uow.forSystem(async () => {
      if ((await this.periods.lock(name)).state !== 'FINAL') await this.periods.reached(found, state, now);
    });
  }

  /** Whole: every payer that we know of has billed its accounts. */
  private billOf(name: string): Promise<{ hasBill: boolean; isWhole: boolean }> {
    return this.uow.forSystem(async () => {
      const hasBill = (await this.bills.current(name)).length > 0;
      return { hasBill, isWhole: hasBill && (await this.bills.awaitedAccounts(name)).size === 0 };
    });
  }

  private async runStep(step: CloseStep, period: Period): Promise<void> {
    const report = this.report(period.name, step);
    switch (step) {
      case 'ROLL_UP':
        await this.rollUps.rollUpMonth(period.name);
        return;
      case 'COSTS':
        await this.lines.compute(period);
        return;
      case 'RECONCILE':
        await this.reconciliation.reconcile(period);
        return;
      case 'DRAFT_INVOICES':
        await this.invoices.draftAll(period.name, ({ done, total }) => report(done, total));
        return;
      case 'FINALISE_INVOICES':
        await this.takeInNews(period);
        await this.invoices.finaliseAll(period.name, ({ done, total }) => report(done, total));
        return;
      case 'SEAL':
        await this.uow.forSystem(async () => {
          const found = await this.periods.lock(period.name);
          if (found.state !== 'FINAL') await this.periods.reached(found, 'FINAL', this.clock.now());
        });
    }
  }

  /**
   * From the announcement of this step on, usage that comes to light and newer bills go to the next month. What came to this
   * one since its lines were computed is still taken in; where nothing did, the same comes out.
   */
  private async takeInNews(period: Period): Promise<void> {
    await this.rollUps.awaitBookings();
    await this.lines.compute(period);
    if ((await this.billOf(period.name)).hasBill) await this.reconciliation.reconcile(period);
    await this.invoices.draftAll(period.name);
  }

  /** Where the step stands: for whoever looks, and in the log. */
  private report(period: string, step: CloseStep) {
    return async (done: bigint, total: bigint) => {
      await this.uow.forSystem(() => this.periods.progress(period, step, done, total));
      this.log.info('closing a billing period', { period, step, done: done.toString(), total: total.toString() });
    };
  }
}

function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}
