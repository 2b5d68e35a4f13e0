import { UnitOfWork } from '@libs/database';
import { Log, Metrics } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { isLockTimeout } from '../idempotency.repository';
import { dayAt, daysBefore, droppableBefore, firstIdOf, type Day } from './day-partition.policy';
import { PARTITIONED, PartitionRepository, type Partitioned } from './partition.repository';
import { daysKept } from './retention.policy';
import { RetentionRepository, type PlanRetention } from './retention.repository';
import { UpkeepSettings } from './upkeep.settings';

const PAGE = 1_000;
const PAGES_PER_RUN = 50;

/**
 * Forgets what no plan keeps: whole days where every plan in use is through, and bodies of tenants whose plan keeps
 * them shorter one by one. Never anything of a message that is still to be sent.
 */
@Injectable()
export class RetentionService {
  private readonly erased;
  private readonly dropped;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly partitions: PartitionRepository,
    private readonly retention: RetentionRepository,
    private readonly settings: UpkeepSettings,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.erased = metrics.counter('bodies_erased_total', 'Bodies erased because their plan keeps them no longer');
    this.dropped = metrics.counter('partitions_dropped_total', 'Days dropped after their retention, by table', [
      'table',
    ]);
  }

  /**
   * For a tick. Where no tenant has a plan, nothing is dropped.
   * @param attemptsFrom the first day whose attempts bills still need, however old it is; null = none is needed
   */
  async apply(attemptsFrom: Day | null): Promise<{ readonly dropped: number; readonly erased: number }> {
    const plans = await this.uow.forSystem(() => this.retention.plansInUse());
    if (plans.length === 0) return { dropped: 0, erased: 0 };
    const today = dayAt(this.settings.clock.nowMs());
    const dropped = await this.dropDays(today, plans, attemptsFrom);
    return { dropped, erased: await this.eraseBodies(today, plans) };
  }

  private async dropDays(today: Day, plans: readonly PlanRetention[], attemptsFrom: Day | null): Promise<number> {
    let dropped = 0;
    for (const table of PARTITIONED) {
      const keep = daysKept(table, plans);
      const needed = table === 'attempt' ? attemptsFrom : null;
      try {
        dropped += await this.uow.forSystem(() => this.dropDaysOf(table, today, keep, needed));
      } catch (error) {
        if (!isLockTimeout(error)) throw error;
        this.log.warn('days past their retention are in use, and are dropped by a later run', { table });
      }
    }
    return dropped;
  }

  private async dropDaysOf(table: Partitioned, today: Day, keep: number, needed: Day | null): Promise<number> {
    const old = await this.partitions.countBefore(table, daysBefore(today, keep));
    if (old === 0) return 0;
    if (!(await this.partitions.takeTurn())) return 0;
    const byAge = droppableBefore(today, keep, await this.partitions.oldestLive());
    const before = needed !== null && needed < byAge ? needed : byAge;
    const days = await this.partitions.dropBefore(table, before);
    if (days > 0) await this.retention.noteDropped(table, before);
    if (table === 'attempt') await this.retention.dropAttachments(firstIdOf(before));
    if (before < byAge) {
      this.log.warn('attempts are kept beyond their retention: bills still need them', { needed, retention: byAge });
    }
    this.dropped.inc({ table }, days);
    if (days > 0) this.log.info('days were dropped after their retention', { table, days, before });
    return days;
  }

  private async eraseBodies(today: Day, plans: readonly PlanRetention[]): Promise<number> {
    const due = plans.map(({ planId, bodyDays }) => ({ planId, before: firstIdOf(daysBefore(today, bodyDays)) }));
    let erased = 0;
    for (let page = 0; page < PAGES_PER_RUN; page += 1) {
      const gone = await this.uow.forSystem(() => this.retention.eraseBodies(due, PAGE));
      erased += gone;
      if (gone < PAGE) break;
    }
    this.erased.inc(erased);
    return erased;
  }
}
