import { EngineClock } from '@libs/kernel';
import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import { cutAt, parsePeriod, type Period, type Span } from '../billing-period.policy';
import type { FleetFacts } from '../cost/fleet-facts';
import { CostPolicyRepository } from '../cost/cost-policy.repository';
import { pricedAlike } from '../cost/stretch.policy';
import { RateCards } from '../rates/rate-card.policy';
import { RateRepository } from '../rates/rate.repository';
import { poolHours, PoolUses } from './pool-use.policy';
import { dayOf, spanOfDay, type Day } from './roll-up.policy';
import { RollUpRepository } from './roll-up.repository';
import { COUNTED } from './usage';
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
    private readonly rates: RateRepository,
    private readonly policies: CostPolicyRepository,
    private readonly clock: EngineClock,
  ) {}

  /**
   * The facts of a month as they are known now; of the current one up to now. For operators and the engine.
   * @param period `YYYY-MM`, UTC
   * @param detail what is booked is told in sums between two changes of prices, which is all that its cost needs, or by the day
   * @throws DomainError INVALID_INPUT (period)
   */
  facts(period: string, detail: 'BY_PRICE' | 'BY_DAY' = 'BY_PRICE'): Promise<FleetFacts> {
    const month = parsePeriod(period);
    return this.uow.forSystem(async () => {
      const now = this.clock.now();
      await this.rollUps.allowScans();
      const accounts = await this.usages.accounts();
      const parts = pricedAlike(accounts, month, new RateCards(await this.rates.all()));
      const rolled = (await this.rollUps.all({ from: month.start, to: month.end })).map((one) => one.day);
      const usage = await this.rollUps.booked(month.name, detail === 'BY_DAY' ? parts.flatMap(cutByDay) : parts);
      const pools = new PoolUses(parts);
      for (const day of rolled) pools.add(await this.rollUps.bookedPoolHours(day, month.name));
      for (const span of notCounted(month, now, new Set(rolled))) {
        const counted = await this.rollUps.count(span, now);
        for (const row of counted) if (row.sku !== COUNTED.poolRecipient) usage.push(row);
        pools.add(poolHours(counted));
      }
      const policy = await this.policies.of(month.name);
      return { period: month, now, accounts, usage, pools: pools.all(), policy };
    });
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

function cutByDay(span: Span): Span[] {
  return cutAt(
    span,
    daysOf(span).map((day) => spanOfDay(day).from),
  );
}

function daysOf({ from, to }: Span): Day[] {
  const days: Day[] = [];
  for (let at = from; at < to; at = spanOfDay(dayOf(at)).to) days.push(dayOf(at));
  return days;
}
