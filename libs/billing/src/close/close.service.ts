import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { parsePeriod, type Period } from '../billing-period.policy';
import { BillRepository } from '../bill/bill.repository';
import { CostService } from '../cost/cost.service';
import { BillingPeriodRepository, type BillingPeriod } from './billing-period.repository';
import { PeriodNotReconciled } from './close.errors';
import { CloseFailpoints, PeriodInvoices, UsageUpToDate, type Progress } from './close.ports';
import { stateAfterClose, stepsTo, type CloseGoal, type CloseStep } from './close.policy';
import { FleetLineRepository } from './fleet-line.repository';
import { hashOfLines } from './line-hash.policy';
import { ReconcileService } from './reconcile.service';

/** Takes a month from OPEN to FINAL. Every step can be broken off and run again, by any process, with the same result. */
@Injectable()
export class CloseService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly periods: BillingPeriodRepository,
    private readonly lines: FleetLineRepository,
    private readonly bills: BillRepository,
    private readonly costs: CostService,
    private readonly reconciliation: ReconcileService,
    private readonly usage: UsageUpToDate,
    private readonly invoices: PeriodInvoices,
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

  /** Brings the stored lines of a month that is not over, or not asked anything, up to date. */
  async refresh(name: string): Promise<void> {
    const period = parsePeriod(name);
    const found = await this.uow.forSystem(() => this.periods.lock(name));
    if (found.state === 'FINAL' || found.goal !== null) return;
    await this.computeLines(period);
    if ((await this.uow.forSystem(() => this.bills.current(name))).length > 0)
      await this.reconciliation.reconcile(period);
    await this.uow.forSystem(() => this.periods.progress(name, null, 0n, 0n));
  }

  private found(name: string): Promise<BillingPeriod | undefined> {
    return this.uow.forSystem(() => this.periods.find(name));
  }

  private async take(
    period: Period,
    goal: CloseGoal,
    { step: interrupted, withoutBill }: BillingPeriod,
  ): Promise<void> {
    const { name } = period;
    const { hasBill, isWhole } = await this.billOf(name);
    for (const step of stepsTo(goal, interrupted, hasBill)) {
      if (step === 'FINALISE_INVOICES' && !isWhole && !withoutBill) throw new PeriodNotReconciled(name, 'PROVISIONAL');
      await this.report(name, step)(0n, 0n);
      await this.runStep(step, period);
      this.failpoints.reach(`close-${step.toLowerCase().replaceAll('_', '-')}`);
    }
    if (goal === 'FINAL') return;
    const now = this.clock.now();
    const state = stateAfterClose(now >= period.end, isWhole);
    await this.uow.forSystem(() => this.periods.reached(name, state, now));
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
        await this.usage.rollUpThrough(this.clock.now(), report);
        return;
      case 'COSTS':
        await this.computeLines(period);
        return;
      case 'RECONCILE':
        await this.reconciliation.reconcile(period);
        return;
      case 'DRAFT_INVOICES':
        await this.invoices.draftAll(period.name, report);
        return;
      case 'FINALISE_INVOICES':
        await this.invoices.finaliseAll(period.name, report);
        return;
      case 'SEAL':
        await this.uow.forSystem(async () => {
          const { state } = await this.periods.lock(period.name);
          if (state !== 'FINAL') await this.periods.reached(period.name, 'FINAL', this.clock.now());
        });
    }
  }

  /** Lines and who bears them, replaced as a whole in one unit of work: nobody ever sees half of them. */
  private async computeLines(period: Period): Promise<void> {
    const { name } = period;
    const at = this.clock.now();
    const costs = await this.costs.tenantCosts(name);
    await this.uow.forSystem(async () => {
      const { state } = await this.periods.lock(name);
      if (state === 'FINAL') return;
      await this.lines.clear(name, ['PROVISIONAL', 'CUR']);
      await this.lines.storeReckoned(name, costs.lines);
      const doubt = await this.periods.inDoubt(period);
      await this.periods.refreshed(name, { at, inputHash: hashOfLines(costs.lines), doubt });
      if (doubt.messages > 0n) {
        this.log.warn('sends of a billing period are in doubt: they are in no line yet, and carried', {
          period: name,
          messages: doubt.messages.toString(),
          recipients: doubt.recipients.toString(),
        });
      }
    });
  }

  private report(period: string, step: CloseStep): Progress {
    return async (done, total) => {
      await this.uow.forSystem(() => this.periods.progress(period, step, done, total));
      this.log.info('closing a billing period', { period, step, done: done.toString(), total: total.toString() });
    };
  }
}
