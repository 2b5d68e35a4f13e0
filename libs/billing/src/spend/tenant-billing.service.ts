import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { DomainError, EngineClock, formatUsd, toPublicId, type TenantId } from '@libs/kernel';
import { PlanPriceService, type PlanPrice } from '@libs/plans';
import { StreamHolds } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import type { Period } from '../billing-period.policy';
import type { RatedSegment } from '../price/rating.v1.policy';
import { LiveUsageRepository } from './live-usage.repository';
import { charged, projected, type Charged } from './month-so-far.policy';
import { MonthSoFarService } from './month-so-far.service';
import { decideSpend, NO_SPEND_SETTINGS, spendIssues, type SpendSettings } from './spend-settings.policy';
import { SpendRepository, type TenantEvent } from './spend.repository';

/** A plan with the price that is in force. */
export interface PlanInForce {
  readonly name: string;
  readonly price: PlanPrice;
}

/** A tenant's running month. */
export interface TenantMonth {
  readonly period: Period;
  readonly plan: PlanInForce;
  readonly recipients: bigint;
  /** Of dedicated IPs of its own, milliseconds. */
  readonly ipMs: bigint;
  readonly soFar: Charged;
  readonly projected: Charged;
}

export interface TenantSpend extends SpendSettings {
  /** Until when marketing is stopped at the cap; null while it is not. */
  readonly marketingStoppedUntil: Date | null;
}

export interface SpendChange {
  readonly alertsMicro?: readonly bigint[];
  /** Null takes the cap away. */
  readonly hardCapMicro?: bigint | null;
}

const STREAM = 'MARKETING';
const MAX_RECIPIENTS = 1_000_000_000_000n;
const MAX_IPS = 10_000n;

/** What a tenant is charged, and what it wants to be told about it. */
@Injectable()
export class TenantBilling {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: SpendRepository,
    private readonly months: MonthSoFarService,
    private readonly live: LiveUsageRepository,
    private readonly prices: PlanPriceService,
    private readonly holds: StreamHolds,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
  ) {}

  /** @throws PlanPriceMissing */
  currentMonth(tenant: TenantId): Promise<TenantMonth> {
    return this.uow.forTenant(tenant, async () => {
      const now = this.clock.now();
      const period = this.months.currentMonth();
      const segments = await this.segments(tenant, period);
      return {
        period,
        plan: await this.planInForce(segments, period, now),
        recipients: segments.reduce((sum, segment) => sum + segment.recipients, 0n),
        ipMs: segments.reduce((sum, segment) => sum + segment.ipMs, 0n),
        soFar: charged(period, segments),
        projected: charged(period, projected(period, segments, await this.live.ipsOf(tenant), now)),
      };
    });
  }

  /**
   * What a whole month of the running one's length would be charged with so many recipients and IPs, by the tenant's own price
   * of now.
   * @throws DomainError INVALID_INPUT (recipients, dedicatedIps); PlanPriceMissing
   */
  async estimate(tenant: TenantId, recipients: bigint, dedicatedIps: bigint): Promise<Charged> {
    const isWithin = (value: bigint, most: bigint) => value >= 0n && value <= most;
    const refuse = (field: string, most: bigint) =>
      ({ code: 'INVALID_INPUT', message: `Expected 0 to ${most}.`, path: [field] }) as const;
    DomainError.throwIfAny([
      ...(isWithin(recipients, MAX_RECIPIENTS) ? [] : [refuse('recipients', MAX_RECIPIENTS)]),
      ...(isWithin(dedicatedIps, MAX_IPS) ? [] : [refuse('dedicatedIps', MAX_IPS)]),
    ]);
    return this.uow.forTenant(tenant, async () => {
      const month = this.months.currentMonth();
      const { name, price } = await this.planInForce(await this.segments(tenant, month), month, this.clock.now());
      const [from, to] = [month.start, month.end];
      const ipMs = dedicatedIps * (BigInt(to.getTime()) - BigInt(from.getTime()));
      return charged(month, [{ ...price, priceId: price.id.toString(), planName: name, from, to, recipients, ipMs }]);
    });
  }

  spend(tenant: TenantId): Promise<TenantSpend> {
    return this.uow.forTenant(tenant, async () => ({
      ...((await this.rows.find(tenant)) ?? NO_SPEND_SETTINGS),
      marketingStoppedUntil: await this.holds.heldUntil(tenant, STREAM),
    }));
  }

  /**
   * Changes what is given. A cap that the charges have reached stops marketing at once, one that they have not lets it go at
   * once; alerts are told at the next look of the guard.
   * @throws DomainError INVALID_INPUT, every wrong field at once; PlanPriceMissing
   */
  updateSpend(tenant: TenantId, change: SpendChange, by: Author): Promise<TenantSpend> {
    return this.uow.forTenant(tenant, async () => {
      const before = (await this.rows.find(tenant)) ?? NO_SPEND_SETTINGS;
      const wanted = { ...before, ...change };
      DomainError.throwIfAny(spendIssues(wanted));
      const settings = { ...wanted, alertsMicro: [...wanted.alertsMicro].sort((a, b) => (a < b ? -1 : 1)) };
      await this.rows.save(tenant, settings, this.clock.now());
      const month = this.months.currentMonth();
      const { totalMicro } = charged(month, await this.segments(tenant, month));
      if (decideSpend(settings, month.name, totalMicro).isCapped) {
        await this.holds.hold([{ tenantId: tenant, stream: STREAM, until: month.end }]);
      } else await this.holds.release([tenant], STREAM);
      const detail = { from: shown(before), to: shown(settings) };
      await this.audit.record({ ...by, action: 'spend.update', subject: toPublicId('tenant', tenant), tenant, detail });
      return this.spend(tenant);
    });
  }

  /** What was told this month, oldest first. */
  events(tenant: TenantId): Promise<TenantEvent[]> {
    return this.uow.forTenant(tenant, () => this.rows.events(tenant, this.months.currentMonth().start));
  }

  /** Those of the ids that are events of the tenant. */
  findEvents(tenant: TenantId, ids: readonly string[]): Promise<TenantEvent[]> {
    return this.uow.forTenant(tenant, () => this.rows.findEvents(tenant, ids));
  }

  private async segments(tenant: TenantId, month: Period): Promise<readonly RatedSegment[]> {
    const [found] = await this.months.of(month, [tenant], (missing) => {
      throw missing;
    });
    return found?.segments ?? [];
  }

  private async planInForce(segments: readonly RatedSegment[], { start, end }: Period, now: Date) {
    const segment = segments.find(({ from, to }) => from <= now && to > now) ?? segments.at(-1);
    const price = (await this.prices.within(start, end)).find((one) => one.id.toString() === segment?.priceId);
    if (!segment || !price) throw new RangeError('a tenant has no plan in its running month');
    return { name: segment.planName, price };
  }
}

function shown({ alertsMicro, hardCapMicro }: SpendSettings) {
  return { alertsUsd: alertsMicro.map(formatUsd), hardCapUsd: hardCapMicro === null ? null : formatUsd(hardCapMicro) };
}
