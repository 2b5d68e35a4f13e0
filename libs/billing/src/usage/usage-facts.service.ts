import { EngineClock } from '@libs/kernel';
import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import { parsePeriod, type Period, type Span } from '../billing-period.policy';
import type { FleetFacts } from '../cost/fleet-facts';
import { CostPolicyRepository } from '../cost/cost-policy.repository';
import { poolDays, type PoolDay } from './pool-use.policy';
import { dayOf, spanOfDay, type Day } from './roll-up.policy';
import { RollUpRepository } from './roll-up.repository';
import { COUNTED, type UsageRow } from './usage';
import { UsageRepository } from './usage.repository';

/**
 * What a month's cost is computed from: roll-ups where there are any, the attempts themselves for days not counted yet.
 * Both say the same of a day, so that a roll-up changes no figure but those that late facts change.
 */
@Injectable()
export class UsageFactsService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rollUps: RollUpRepository,
    private readonly usages: UsageRepository,
    private readonly policies: CostPolicyRepository,
    private readonly clock: EngineClock,
  ) {}

  /**
   * The facts of a month as they are known now; of the current one up to now. For operators and the engine.
   * @param period `YYYY-MM`, UTC
   * @throws DomainError INVALID_INPUT (period)
   */
  facts(period: string): Promise<FleetFacts> {
    const month = parsePeriod(period);
    return this.uow.forSystem(async () => {
      const now = this.clock.now();
      await this.rollUps.allowScans();
      const rolled = (await this.rollUps.all({ from: month.start, to: month.end })).map((one) => one.day);
      const usage = await this.rollUps.booked(month.name);
      const pools: PoolDay[] = [];
      for (const day of rolled) pools.push(...(await this.bookedPools(day, usage)));
      for (const span of notCounted(month, now, new Set(rolled))) {
        const counted = await this.rollUps.count(span, now);
        for (const row of counted) if (row.sku !== COUNTED.poolRecipient) usage.push(row);
        for (const day of daysOf(span)) pools.push(...poolDays(spanOfDay(day), counted));
      }
      return {
        period: month,
        now,
        accounts: await this.usages.accounts(),
        usage,
        pools,
        policy: await this.policies.of(month.name),
      };
    });
  }

  private async bookedPools(day: Day, usage: readonly UsageRow[]): Promise<PoolDay[]> {
    const hours = await this.rollUps.bookedPoolHours(day);
    if (hours.length === 0) return [];
    const span = spanOfDay(day);
    const leased = usage.filter(
      (row) => row.sku === COUNTED.dedicatedIp && row.span.from >= span.from && row.span.from < span.to,
    );
    return poolDays(span, [...leased, ...hours]);
  }
}

/** The days of the month that are over, or running, and not counted: as few spans as there can be. */
function notCounted(month: Period, now: Date, rolled: ReadonlySet<Day>): Span[] {
  const spans: Span[] = [];
  for (const day of daysOf({ from: month.start, to: month.end })) {
    const { from, to } = spanOfDay(day);
    if (rolled.has(day) || from > now) continue;
    const last = spans.at(-1);
    if (last?.to.getTime() === from.getTime()) spans[spans.length - 1] = { from: last.from, to };
    else spans.push({ from, to });
  }
  return spans;
}

function daysOf({ from, to }: Span): Day[] {
  const days: Day[] = [];
  for (let at = from; at < to; at = spanOfDay(dayOf(at)).to) days.push(dayOf(at));
  return days;
}
