import type { TenantId } from '@libs/kernel';
import { PlanPriceService, type PlanPrice } from '@libs/plans';
import { Injectable } from '@nestjs/common';
import type { Period } from '../billing-period.policy';
import { daysOfSegments, priceSegments, type PriceSegment } from '../price/price-segments.policy';
import type { SegmentUsage } from './invoice-draft.policy';
import { InvoiceFactsRepository, type BilledTenant } from './invoice-facts.repository';

/** A tenant with what it used at which prices. */
export interface TenantFacts {
  readonly tenant: BilledTenant;
  readonly segments: readonly (PriceSegment & SegmentUsage)[];
}

/** Brings plans, prices and rolled-up usage of a month together. Called within a unit of work. */
@Injectable()
export class InvoiceFactsService {
  constructor(
    private readonly facts: InvoiceFactsRepository,
    private readonly prices: PlanPriceService,
  ) {}

  /** How many tenants had a plan in the month. */
  count(month: Period): Promise<bigint> {
    return this.facts.count(month.start, month.end);
  }

  /**
   * The next tenants that had a plan in the month, by id; none when there are no more.
   * @throws PlanPriceMissing
   */
  async page(month: Period, after: TenantId | null): Promise<TenantFacts[]> {
    return this.withUsage(month, await this.facts.page(month.start, month.end, after));
  }

  private async withUsage(month: Period, tenants: readonly BilledTenant[]): Promise<TenantFacts[]> {
    if (tenants.length === 0) return [];
    const prices = await this.prices.within(month.start, month.end);
    const found = tenants.map((tenant) => ({ tenant, segments: segmentsOf(month, tenant, prices) }));
    const ranges = found.flatMap(({ tenant, segments }) =>
      daysOfSegments(segments).map((days) => ({ ...days, tenantId: tenant.tenantId })),
    );
    const usage = (await this.facts.usage(month.name, ranges)).values();
    return found.map(({ tenant, segments }) => ({
      tenant,
      segments: segments.map((segment) => ({ ...segment, ...(usage.next().value ?? { recipients: 0n, ipMs: 0n }) })),
    }));
  }
}

function segmentsOf(month: Period, tenant: BilledTenant, prices: readonly PlanPrice[]): PriceSegment[] {
  return priceSegments(tenant.tenantId, { from: month.start, to: month.end }, tenant.terms, prices);
}
