import { UnitOfWork } from '@libs/database';
import { Log, Metrics } from '@libs/observability';
import { Injectable } from '@nestjs/common';
import { dayAt, daysBefore } from './day-partition.policy';
import { PartitionRepository } from './partition.repository';
import { UpkeepSettings } from './upkeep.settings';

const DAYS_AHEAD = 7;

/** Keeps a partition ready for every day to come, and notices rows that found none. */
@Injectable()
export class PartitionService {
  private readonly seen = new Map<string, number>();
  private readonly strays;
  private readonly missing;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly partitions: PartitionRepository,
    private readonly settings: UpkeepSettings,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.strays = metrics.gauge('default_partition_rows', 'Rows that found no partition of their day, by table', [
      'table',
    ]);
    this.missing = metrics.gauge('missing_partition_days', 'Days of the coming week without a partition');
  }

  /** For a tick: makes yesterday to a week ahead, each day apart. Answers how many tables were made. */
  async createAhead(): Promise<number> {
    const today = dayAt(this.settings.clock.nowMs());
    let made = 0;
    let missing = 0;
    for (let ahead = -1; ahead <= DAYS_AHEAD; ahead += 1) {
      const day = daysBefore(today, -ahead);
      try {
        made += await this.uow.forSystem(async () =>
          (await this.partitions.takeTurn()) ? this.partitions.create(day) : 0,
        );
      } catch (error) {
        // A day whose rows lie in the default partition already cannot be made; the other days still can.
        missing += 1;
        this.log.error('the partitions of a day could not be made', { day, error });
      }
    }
    this.missing.set(missing);
    if (made > 0) this.log.info('partitions were made', { tables: made, from: daysBefore(today, 1) });
    return made;
  }

  /** For a tick: an alarm when rows landed in a default partition since the last look. Answers those tables. */
  async watchDefaults(): Promise<string[]> {
    const landed: string[] = [];
    for (const { table, live, inserted } of await this.uow.forSystem(() => this.partitions.defaultRows())) {
      this.strays.set({ table }, live);
      // On the first look, what is there is news; what was there and has gone is not.
      const before = this.seen.get(table) ?? inserted - live;
      if (inserted > before) {
        landed.push(table);
        this.log.error('rows found no partition of their day: is a clock wrong, or are partitions not made?', {
          table,
          rows: live,
        });
      }
      this.seen.set(table, inserted);
    }
    return landed;
  }
}
