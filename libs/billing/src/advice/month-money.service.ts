import { UnitOfWork } from '@libs/database';
import { EngineClock, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { PlanPriceMissing, planPriceToPublish } from '../billing.errors';
import { parsePeriod, type Period } from '../billing-period.policy';
import { BillingPeriodRepository } from '../close/billing-period.repository';
import type { PeriodState } from '../close/close.policy';
import { fleetLines } from '../cost/fleet-costs.policy';
import { InvoiceFactsService } from '../invoice/invoice-facts.service';
import { makeInvoice } from '../invoice/invoice-versions.policy';
import { InvoiceRepository } from '../invoice/invoice.repository';
import { RateCards } from '../rates/rate-card.policy';
import { RateRepository } from '../rates/rate.repository';
import { UsageFactsService } from '../usage/usage-facts.service';
import { sharesOf, type CostShare } from './cost-share';
import { CostShareRepository } from './cost-share.repository';
import type { PriceShare } from './margin.policy';
import { MonthUsage } from './month-usage.policy';
import { chargesOf, type PricedMonth } from './what-if.policy';

/** What is known of a month's cost, and as of when. */
export interface MonthCosts {
  readonly month: Period;
  readonly state: PeriodState;
  /** Until then everything is in it. */
  readonly asOf: Date;
  readonly shares: readonly CostShare[];
  /** What was used, where it is not stored in lines yet. */
  readonly usage: MonthUsage | null;
}

/**
 * A month's money on both sides. Once a month is closed, its stored lines and what AWS's bill says beyond them; before that,
 * what is reckoned from the facts right now. Called within a unit of work.
 */
@Injectable()
export class MonthMoneyService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly periods: BillingPeriodRepository,
    private readonly stored: CostShareRepository,
    private readonly usage: UsageFactsService,
    private readonly rates: RateRepository,
    private readonly invoiceFacts: InvoiceFactsService,
    private readonly invoices: InvoiceRepository,
    private readonly clock: EngineClock,
  ) {}

  /** @throws DomainError INVALID_INPUT (period); RateMissing */
  costs(period: string): Promise<MonthCosts> {
    const month = parsePeriod(period);
    return this.uow.forSystem(async () => {
      const found = await this.periods.find(month.name);
      if (found && found.state !== 'OPEN') {
        const asOf = found.refreshedAt ?? month.end;
        return { month, state: found.state, asOf, shares: await this.stored.stored(month.name), usage: null };
      }
      const facts = await this.usage.facts(month.name, 'BY_DAY');
      const shares = sharesOf(fleetLines(facts, new RateCards(await this.rates.all())));
      return { month, state: 'OPEN', asOf: this.clock.now(), shares, usage: new MonthUsage(facts.usage) };
    });
  }

  /** What every tenant used in the month while which price was in force. @throws DomainError CONFLICT (period) where a plan had no price */
  async tenants({ month, usage }: MonthCosts): Promise<PricedMonth[]> {
    const tenants: PricedMonth[] = [];
    for (let after: TenantId | null = null; ;) {
      const page = await this.pageOf(month, after);
      const last = page.at(-1)?.tenant.tenantId;
      if (last === undefined) return tenants;
      after = last;
      for (const { tenant, segments } of page) {
        const own = usage ? usage.within(tenant.tenantId, segments) : segments;
        tenants.push({ tenantId: tenant.tenantId, segments: own });
      }
    }
  }

  /** What is charged for the month: what was issued, credit notes with it, and what would be for those without an invoice. */
  async prices(costs: MonthCosts): Promise<PriceShare[]> {
    const prices: PriceShare[] = [];
    const invoiced = new Set<TenantId>();
    for (let after = ''; ;) {
      const page = await this.invoices.ofPeriod(costs.month.name, after);
      const last = page.at(-1);
      if (!last) break;
      after = last.number;
      for (const invoice of page.filter((one) => one.state === 'FINAL')) {
        if (invoice.kind === 'INVOICE') invoiced.add(invoice.tenantId);
        const { lines } = makeInvoice(invoice.input, invoice.renderVersion).body;
        for (const { sku, amountMicro, cites } of lines) {
          // What rounding moves between invoices is nobody's margin.
          if (sku === 'invoice.carried' || sku === 'invoice.rounding') continue;
          const { tenantId } = invoice;
          const { method, planPrices: planPriceIds } = cites;
          prices.push({ tenantId, sku, amountMicro: BigInt(amountMicro), method, planPriceIds });
        }
      }
    }
    const { start: from, end: to } = costs.month;
    for (const { tenantId, segments } of await this.tenants(costs)) {
      if (invoiced.has(tenantId)) continue;
      for (const { sku, amountMicro, method, priceIds: planPriceIds } of chargesOf({ from, to }, segments)) {
        prices.push({ tenantId, sku, amountMicro, method, planPriceIds });
      }
    }
    return prices;
  }

  private async pageOf(month: Period, after: TenantId | null) {
    try {
      return await this.invoiceFacts.page(month, after);
    } catch (error) {
      throw error instanceof PlanPriceMissing ? planPriceToPublish(error) : error;
    }
  }
}
