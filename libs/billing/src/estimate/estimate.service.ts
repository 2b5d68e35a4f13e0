import { UnitOfWork } from '@libs/database';
import { divideHalfEven, DomainError, EngineClock } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import competitorFile from '../../data/competitor-prices.json';
import { competitorPrices, parseCompetitorFile, type CompetitorPrice } from './competitor-prices.policy';
import { demandIssues, estimateLines, isPricingPlan, type Demand, type EstimateLine } from './estimate.policy';
import { RateCards, type PricingPlan } from '../rates/rate-card.policy';
import { RateRepository } from '../rates/rate.repository';

export interface Estimate {
  readonly pricingPlan: PricingPlan;
  readonly recipientsPerMonth: bigint;
  readonly totalMicro: bigint;
  /** Per thousand recipients; null without any. */
  readonly perThousandMicro: bigint | null;
  readonly lines: readonly EstimateLine[];
  /** What others ask for exactly this volume; unknown is null. */
  readonly competitors: readonly CompetitorPrice[];
}

/** What a month would cost, before it is sent. */
@Injectable()
export class EstimateService {
  private readonly offers = parseCompetitorFile(competitorFile);

  constructor(
    private readonly uow: UnitOfWork,
    private readonly rates: RateRepository,
    private readonly clock: EngineClock,
  ) {}

  /**
   * At the prices in force now, for one account in one region.
   * @throws DomainError INVALID_INPUT with every wrong field; RateMissing when the rate card was not seeded
   */
  async estimate(demand: Demand): Promise<Estimate> {
    DomainError.throwIfAny(demandIssues(demand));
    const plan = isPricingPlan(demand.pricingPlan) ? demand.pricingPlan : 'NONE';
    const cards = new RateCards(await this.uow.forShared(() => this.rates.all()));
    const lines = estimateLines(demand, plan, cards, this.clock.now());
    const totalMicro = lines.reduce((sum, line) => sum + line.costMicro, 0n);
    const volume = demand.recipientsPerMonth;
    return {
      pricingPlan: plan,
      recipientsPerMonth: volume,
      totalMicro,
      perThousandMicro: volume === 0n ? null : divideHalfEven(totalMicro * 1_000n, volume),
      lines,
      competitors: competitorPrices(volume, this.offers),
    };
  }
}
