import { EngineClock, type TenantId } from '@libs/kernel';
import { PlanPriceService, type PlanPrice } from '@libs/plans';
import { Injectable } from '@nestjs/common';
import { PlanPriceMissing } from '../billing.errors';
import { parsePeriod, type Period } from '../billing-period.policy';
import { InvoiceFactsRepository, type BilledTenant } from '../invoice/invoice-facts.repository';
import { daysOfSegments, priceSegments, type PriceSegment } from '../price/price-segments.policy';
import type { RatedSegment } from '../price/rating.v1.policy';
import { LiveUsageRepository } from './live-usage.repository';
import { segmentsSoFar, type DayUsage } from './month-so-far.policy';

/** A tenant's month up to now. */
export interface MonthSoFar {
  readonly tenant: BilledTenant;
  readonly segments: readonly RatedSegment[];
}

/** What tenants used on days that no roll-up has counted yet. */
export interface UsageNotCounted {
  ofTenants(month: Period, tenants: readonly TenantId[], now: Date): Promise<Map<TenantId, DayUsage[]>>;
}

/** Roll-ups where there are any, the attempts themselves for the days after them. Called within a unit of work. */
@Injectable()
export class MonthSoFarService {
  constructor(
    private readonly facts: InvoiceFactsRepository,
    private readonly live: LiveUsageRepository,
    private readonly prices: PlanPriceService,
    private readonly clock: EngineClock,
  ) {}

  /** The month that runs, UTC. */
  currentMonth(): Period {
    return parsePeriod(this.clock.now().toISOString().slice(0, 7));
  }

  /**
   * The running month of each tenant.
   * @param without told of a tenant whose plan had no price; it is left out
   * @param notCounted where the days after the roll-ups are taken from: the attempts themselves, or what is kept of them
   */
  async of(
    month: Period,
    tenants: readonly TenantId[],
    without: (missing: PlanPriceMissing) => void,
    notCounted: UsageNotCounted = this.live,
  ): Promise<MonthSoFar[]> {
    const billed = await this.facts.some(month.start, month.end, tenants);
    const prices = await this.prices.within(month.start, month.end);
    const priced = billed.flatMap((tenant) => {
      const segments = segmentsOf(month, tenant, prices, without);
      return segments ? [{ tenant, segments, days: daysOfSegments(segments) }] : [];
    });
    const ids = priced.map(({ tenant }) => tenant.tenantId);
    const ranges = priced.flatMap(({ tenant: { tenantId }, days }) => days.map((one) => ({ ...one, tenantId })));
    const counted = (await this.facts.usage(month.name, ranges)).values();
    const live = await notCounted.ofTenants(month, ids, this.clock.now());
    return priced.map(({ tenant, segments, days }) => {
      const own = segments.map(() => counted.next().value ?? { recipients: 0n, ipMs: 0n });
      return { tenant, segments: segmentsSoFar(segments, days, own, live.get(tenant.tenantId) ?? []) };
    });
  }
}

function segmentsOf(
  month: Period,
  { tenantId, terms }: BilledTenant,
  prices: readonly PlanPrice[],
  without: (missing: PlanPriceMissing) => void,
): PriceSegment[] | undefined {
  try {
    return priceSegments(tenantId, { from: month.start, to: month.end }, terms, prices);
  } catch (error) {
    if (!(error instanceof PlanPriceMissing)) throw error;
    without(error);
    return undefined;
  }
}
