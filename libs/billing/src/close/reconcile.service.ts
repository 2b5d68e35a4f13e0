import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { matchBill, matchLateBill, type BillAlarm, type Matched } from '../bill/bill-match.policy';
import { BillRepository } from '../bill/bill.repository';
import { nextPeriod, parsePeriod, previousPeriod, type Period } from '../billing-period.policy';
import { BillingPeriodRepository } from './billing-period.repository';
import { FleetLineRepository } from './fleet-line.repository';

/** Holds AWS's bill against our own lines. */
@Injectable()
export class ReconcileService {
  private readonly alarms;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly periods: BillingPeriodRepository,
    private readonly lines: FleetLineRepository,
    private readonly bills: BillRepository,
    private readonly clock: EngineClock,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.alarms = metrics.gauge(
      'billing_alarms',
      'Lines of the last bill that differ by more than 0.1 %, or are unknown',
      ['kind'],
    );
  }

  /** Replaces what the bill says beyond our reckoning of the month. One unit of work; twice is once. */
  reconcile(period: Period): Promise<void> {
    const { name } = period;
    return this.uow.forSystem(async () => {
      const { state } = await this.periods.lock(name);
      if (state === 'FINAL') return;
      const awaited = await this.bills.awaitedAccounts(name);
      const reckoned = (await this.lines.reckoned(name)).filter((line) => !awaited.has(line.awsAccount));
      const ours = reckoned.filter((line) => line.corrects === null);
      const billed = await this.bills.billed(name);
      const { deltas, alarms } = await this.match(period, ours, billed);
      await this.lines.clear(name, ['CUR']);
      const before = previousPeriod(name);
      if (deltas.some((delta) => delta.isCorrection)) await this.periods.ensure(before);
      await this.lines.storeDeltas(period, deltas, 'CUR', before);
      await this.bills.replaceAlarms(name, alarms, this.clock.now());
      this.uow.onCommit(() => {
        this.raise(name, alarms);
      });
    });
  }

  /** Books what a new report of a final month says beyond everything known of it, in the first month that is open. */
  correct(period: Period): Promise<{ bookedIn: string; lines: bigint; costMicro: bigint }> {
    return this.uow.forSystem(async () => {
      const ours = (await this.lines.reckoned(period.name)).filter((line) => line.corrects === null);
      const late = matchLateBill(ours, await this.bills.billed(period.name), await this.lines.known(period.name));
      const open = await this.firstOpenAfter(period.name);
      await this.lines.storeDeltas(parsePeriod(open), late, 'CORRECTION', period.name);
      let costMicro = 0n;
      for (const line of late) costMicro += line.costMicro;
      return { bookedIn: open, lines: BigInt(late.length), costMicro };
    });
  }

  private async firstOpenAfter(name: string): Promise<string> {
    let next = nextPeriod(name);
    while ((await this.periods.lock(next)).state === 'FINAL') next = nextPeriod(next);
    return next;
  }

  private async match(
    period: Period,
    ours: Parameters<typeof matchBill>[0],
    billed: Parameters<typeof matchBill>[1],
  ): Promise<Matched> {
    const first = matchBill(ours, billed, new Map());
    // Looking through a month's attempts is worth it only when somebody sent more than we know of.
    if (!first.deltas.some((delta) => delta.reason === 'FOREIGN_SENDER')) return first;
    return matchBill(ours, billed, await this.periods.neverCertain(period));
  }

  private raise(period: string, alarms: readonly BillAlarm[]): void {
    for (const kind of ['DELTA', 'UNKNOWN_USAGE'] as const) {
      this.alarms.set({ kind }, alarms.filter((alarm) => alarm.kind === kind).length);
    }
    for (const alarm of alarms) {
      this.log.warn('AWS bills something else than we reckoned', {
        period,
        ...alarm,
        oursMicro: alarm.oursMicro.toString(),
        billedMicro: alarm.billedMicro.toString(),
      });
    }
  }
}
