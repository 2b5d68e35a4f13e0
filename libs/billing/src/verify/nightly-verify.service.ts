import { UnitOfWork } from '@libs/database';
import { EngineClock } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { monthOf, parsePeriod } from '../billing-period.policy';
import { UsageRollUpService } from '../usage/usage-roll-up.service';
import { VerdictRepository, type StoredVerdict } from './verdict.repository';
import { VerifyService } from './verify.service';

/** When a day's judgement is due, after midnight UTC: by then the day before has been counted. */
const DUE_MS = 3 * 3_600_000;

/** Judges the books once a night: of the running month and of the last one that is closed. */
@Injectable()
export class NightlyVerify {
  private readonly gauge;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly verify: VerifyService,
    private readonly verdicts: VerdictRepository,
    private readonly usage: UsageRollUpService,
    private readonly clock: EngineClock,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.gauge = metrics.gauge(
      'billing_invariant_violated',
      '1 for what did not hold when the books were last judged: of the running month, and of the last one that is closed',
      ['invariant', 'month'],
    );
  }

  /**
   * Judges what is due; whoever comes second finds it done. Every process shows the same figures, also one that judged nothing. For
   * the worker.
   */
  async judge(): Promise<void> {
    const running = monthOf(this.clock.now());
    for (const period of await this.uow.forSystem(() => this.verdicts.months(running))) {
      if (this.isDue(await this.found(period))) await this.judgeMonth(period);
      const month = period === running ? 'running' : 'closed';
      for (const { id, violations } of await this.found(period)) {
        this.gauge.set({ invariant: id.toString(), month }, violations === 0n ? 0 : 1);
      }
    }
  }

  private found(period: string): Promise<StoredVerdict[]> {
    return this.uow.forSystem(() => this.verdicts.of(period));
  }

  private isDue(found: readonly StoredVerdict[]): boolean {
    const now = this.clock.now();
    const today = new Date(now.getTime() - (now.getTime() % 86_400_000) + DUE_MS);
    return now >= today && found.every(({ judgedAt }) => judgedAt < today);
  }

  private async judgeMonth(period: string): Promise<void> {
    // What was in doubt when a day was counted, and has been settled since, is no mistake of the books.
    await this.usage.rollUpDoubtful(parsePeriod(period).name);
    await this.uow.forSystem(async () => {
      if (!(await this.verdicts.claim(period)) || !this.isDue(await this.verdicts.of(period))) return;
      await this.verdicts.allowScans();
      const found = await this.verify.verify(period);
      await this.verdicts.store(period, found, this.clock.now());
      for (const { id, name, violations, examples } of found) {
        if (violations === 0n) continue;
        const fields = { period, invariant: id.toString(), name, violations: violations.toString(), examples };
        this.log.error('the books of a month do not hold what they must', fields);
      }
    });
  }
}
