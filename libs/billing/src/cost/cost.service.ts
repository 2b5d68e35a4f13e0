import { UnitOfWork } from '@libs/database';
import {
  divideHalfEven,
  DomainError,
  EngineClock,
  priceOf,
  type MessageId,
  type SendingAccountId,
  type TenantId,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { byDays } from '../usage/roll-up.policy';
import { UsageFactsService } from '../usage/usage-facts.service';
import { fleetCosts, type FleetCosts } from './fleet-costs.policy';
import { planAt } from './stretch.policy';
import { RateCards, SKUS } from '../rates/rate-card.policy';
import { RateRepository } from '../rates/rate.repository';
import { add, type Fraction } from '../rates/tiered-price.policy';
import { UsageRepository } from '../usage/usage.repository';

/** A message whose price is asked. */
export interface MessageToPrice {
  readonly id: MessageId;
  readonly recipients: bigint;
  readonly sendingAccountId: SendingAccountId;
  /** When it was sent, or else accepted: the rate in force then is the one that counts. */
  readonly at: Date;
}

export interface TenantUsage {
  readonly recipients: bigint;
  /** Recipients at the rates in force when they were sent; fees and IPs are not in it. Micro-dollars. */
  readonly chargeMicro: bigint;
}

const DAY_MS = 86_400_000;
/** Older than any message. */
const FIRST = new Date('2000-01-01T00:00:00Z');

/** What was used and what it cost. Reads only; nothing here is stored. */
@Injectable()
export class CostService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rates: RateRepository,
    private readonly usages: UsageRepository,
    private readonly facts: UsageFactsService,
    private readonly clock: EngineClock,
  ) {}

  /**
   * One tenant's live recipients and their price from `from` until before `to`. Test mode never counts. Times before the
   * first message and after the last one are welcome: "everything so far" is asked that way.
   * @throws DomainError INVALID_INPUT (to)
   */
  async usage(tenant: TenantId, from: Date, to: Date): Promise<TenantUsage> {
    if (!(to > from)) {
      throw new DomainError({ code: 'INVALID_INPUT', message: 'Expected a time after `from`.', path: ['to'] });
    }
    // Clocks of two hosts differ, by less than a day.
    const last = new Date(this.clock.nowMs() + DAY_MS);
    const span = { from: from > FIRST ? from : FIRST, to: to < last ? to : last };
    if (!(span.to > span.from)) return { recipients: 0n, chargeMicro: 0n };
    return this.uow.forTenant(tenant, async () => {
      const cards = new RateCards(await this.rates.all());
      const { days, rest } = byDays(span, await this.usages.countedDays(span));
      const used = [...(await this.usages.ofCounted(tenant, days)), ...(await this.usages.ofAttempts(tenant, rest))];
      const plans = await this.usages.pricingPlans([...new Set(used.map((one) => one.sendingAccountId))]);
      let exact: Fraction = { numerator: 0n, denominator: 1n };
      let total = 0n;
      for (const { sendingAccountId, from: at, recipients } of used) {
        const [rate] = cards.tiers(planAt(plans.get(sendingAccountId) ?? [], at), SKUS.recipient, at);
        exact = add(exact, { numerator: recipients * rate.amountMicro, denominator: rate.perUnits });
        total += recipients;
      }
      return { recipients: total, chargeMicro: divideHalfEven(exact.numerator, exact.denominator) };
    });
  }

  /**
   * What the fleet cost in a month and who bears it; the current month up to now. Tenants, idle and platform add up to
   * the fleet exactly. For operators and the engine.
   * @param period `YYYY-MM`, UTC
   * @throws DomainError INVALID_INPUT (period); RateMissing when usage fell where no price is in force
   */
  async tenantCosts(period: string): Promise<FleetCosts> {
    return this.uow.forSystem(async () => {
      const facts = await this.facts.facts(period);
      return fleetCosts(facts, new RateCards(await this.rates.all()));
    });
  }

  /** The price of each message at the first tier of the rate in force; a message without one is left out. */
  async messageCosts(messages: readonly MessageToPrice[]): Promise<Map<MessageId, bigint>> {
    if (messages.length === 0) return new Map();
    return this.uow.forShared(async () => {
      const cards = new RateCards(await this.rates.all());
      const plans = await this.usages.pricingPlans([...new Set(messages.map((message) => message.sendingAccountId))]);
      const costs = new Map<MessageId, bigint>();
      for (const message of messages) {
        const known = plans.get(message.sendingAccountId);
        const rate = known && cards.find(planAt(known, message.at), SKUS.recipient, message.at)?.[0];
        if (!rate) continue;
        costs.set(message.id, priceOf(message.recipients, { micro: rate.amountMicro, per: rate.perUnits }));
      }
      return costs;
    });
  }
}
