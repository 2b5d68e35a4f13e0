import { UnitOfWork } from '@libs/database';
import { beneath, DomainError, EngineClock, notFound, type Issue, type PlanId, type TenantId } from '@libs/kernel';
import { PlanPriceService, type PriceTerms } from '@libs/plans';
import { Injectable } from '@nestjs/common';
import { parsePeriod, previousPeriod } from '../billing-period.policy';
import { IDLE, PLATFORM } from '../cost/allocation.policy';
import { InvoiceFactsRepository } from '../invoice/invoice-facts.repository';
import { priceSegments } from '../price/price-segments.policy';
import { RateCards } from '../rates/rate-card.policy';
import { RateRepository } from '../rates/rate.repository';
import { dayOf, monthOf } from '../usage/roll-up.policy';
import { UsageFactsService } from '../usage/usage-facts.service';
import { headOf, type ReportHead } from './billing-reports.service';
import { FleetNamesRepository } from './fleet-names.repository';
import { ipAdvice, type IpAdvice } from './ip-advice.policy';
import { MonthMoneyService } from './month-money.service';
import { MonthUsage } from './month-usage.policy';
import { planAdvice, type AccountAdvice } from './plan-advice.policy';
import { whatIf, type WhatIf, type WhatIfRow } from './what-if.policy';

export interface PlanAdvice {
  readonly period: string;
  /** What the best plans save all accounts together. */
  readonly savingMicro: bigint;
  readonly accounts: readonly (AccountAdvice & { readonly account: string })[];
}

/** Of whom or of how much is asked: a tenant's volume of a month, or any volume. */
export interface IpQuestion {
  readonly tenantId: TenantId | null;
  /** `YYYY-MM`; the last month unless said. */
  readonly period: string | null;
  readonly recipients: bigint | null;
  readonly ips: bigint;
}

export interface WhatIfReport extends ReportHead, Omit<WhatIf, 'rows'> {
  readonly rows: readonly (WhatIfRow & { readonly name: string })[];
}

const MOST_IPS = 10_000n;
const MOST_RECIPIENTS = 10n ** 12n;

/** What would be better, and what would be otherwise. Reads only. For operators. */
@Injectable()
export class BillingAdvice {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly facts: UsageFactsService,
    private readonly money: MonthMoneyService,
    private readonly rates: RateRepository,
    private readonly billed: InvoiceFactsRepository,
    private readonly prices: PlanPriceService,
    private readonly names: FleetNamesRepository,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Which of SES's pricing plans each account should be on, by what it used in a month.
   * @throws DomainError INVALID_INPUT (period)
   */
  pricingPlans(period: string): Promise<PlanAdvice> {
    return this.uow.forSystem(async () => {
      const facts = await this.facts.facts(period);
      const names = await this.names.accounts();
      const advice = planAdvice(facts, await this.rates.all(), this.clock.now());
      return {
        period,
        savingMicro: advice.reduce((sum, one) => sum + one.savingMicro, 0n),
        accounts: advice.map((one) => ({ ...one, account: names.get(one.sendingAccountId)?.name ?? '' })),
      };
    });
  }

  /**
   * When a dedicated IP pays: against shared and managed ones, and against what the tenant pays.
   * @throws DomainError INVALID_INPUT (every wrong field), NOT_FOUND (tenantId)
   */
  dedicatedIp(question: IpQuestion): Promise<IpAdvice> {
    DomainError.throwIfAny(questionIssues(question));
    const now = this.clock.now();
    return this.uow.forSystem(async () => {
      const { tenantId } = question;
      const terms = tenantId === null ? null : await this.termsOf(tenantId);
      const recipients = question.recipients ?? (await this.recipientsOf(tenantId, question.period));
      return ipAdvice(recipients, question.ips, new RateCards(await this.rates.all()), now, terms);
    });
  }

  /**
   * What a month's usage would have brought in under other terms.
   * @param plan whose tenants it is about; null = everybody's
   * @throws DomainError INVALID_INPUT (period, beneath terms), NOT_FOUND (planId) for a plan that never had a price
   */
  async priceWhatIf(period: string, plan: PlanId | null, terms: PriceTerms): Promise<WhatIfReport> {
    beneath('terms', () => {
      this.prices.check(terms);
    });
    if (plan !== null && (await this.prices.list(plan)).length === 0) throw notFound('The plan', ['planId']);
    return this.uow.forSystem(async () => {
      const costs = await this.money.costs(period);
      const tenants = await this.money.tenants(costs);
      const names = await this.names.tenants();
      const borne = new Map<TenantId, bigint>();
      for (const { bearer, costMicro } of costs.shares) {
        if (bearer !== IDLE && bearer !== PLATFORM) borne.set(bearer, (borne.get(bearer) ?? 0n) + costMicro);
      }
      const { rows, ...sums } = whatIf(spanOf(period), tenants, plan, terms, borne);
      return {
        ...headOf(costs),
        ...sums,
        rows: rows.map((row) => ({ ...row, name: names.get(row.tenantId)?.name ?? '' })),
      };
    });
  }

  /** What the tenant's plan costs now. */
  private async termsOf(tenant: TenantId): Promise<PriceTerms> {
    const now = this.clock.now();
    const { start: from, end: to } = parsePeriod(monthOf(dayOf(now)));
    const [found] = await this.billed.some(from, to, [tenant]);
    const segments = priceSegments(tenant, { from, to }, found?.terms ?? [], await this.prices.within(from, to));
    const segment = segments.findLast((one) => one.from <= now) ?? segments.at(-1);
    if (!segment) throw notFound('The tenant', ['tenantId']);
    return segment.price;
  }

  private async recipientsOf(tenant: TenantId | null, period: string | null): Promise<bigint> {
    if (tenant === null) return 0n;
    const month = period ?? previousPeriod(monthOf(dayOf(this.clock.now())));
    return new MonthUsage((await this.facts.facts(month)).usage).of(tenant).recipients;
  }
}

function spanOf(period: string): { from: Date; to: Date } {
  const { start: from, end: to } = parsePeriod(period);
  return { from, to };
}

function questionIssues({ tenantId, period, recipients, ips }: IpQuestion): Issue[] {
  const issues: Issue[] = [];
  const refuse = (message: string, field: string) => issues.push({ code: 'INVALID_INPUT', message, path: [field] });
  if (tenantId === null && recipients === null) refuse('Expected a tenant or a volume.', 'recipientsPerMonth');
  if (tenantId === null && period !== null) refuse('A month is looked up for a tenant only.', 'period');
  if (recipients !== null && (recipients < 0n || recipients > MOST_RECIPIENTS)) {
    refuse(`Expected a whole number from 0 to ${MOST_RECIPIENTS}.`, 'recipientsPerMonth');
  }
  if (ips < 1n || ips > MOST_IPS) refuse(`Expected a whole number from 1 to ${MOST_IPS}.`, 'dedicatedIps');
  return issues;
}
