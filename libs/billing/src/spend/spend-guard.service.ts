import { UnitOfWork } from '@libs/database';
import { EngineClock, type TenantId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { StreamHolds } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import type { PlanPriceMissing } from '../billing.errors';
import type { Period } from '../billing-period.policy';
import { charged } from './month-so-far.policy';
import { MonthSoFarService } from './month-so-far.service';
import { decideSpend } from './spend-settings.policy';
import { SpendRepository } from './spend.repository';
import { WatchedUsageRepository } from './watched-usage.repository';

const STREAM = 'MARKETING';

/**
 * Looks at the charges of everybody who set alerts or a cap, and does what was asked: tells once a month, stops marketing at
 * the cap, and lets it go when the cap is no longer reached. Between two looks a cap can be overshot by what is sent then.
 */
@Injectable()
export class SpendGuard {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: SpendRepository,
    private readonly months: MonthSoFarService,
    private readonly watched: WatchedUsageRepository,
    private readonly holds: StreamHolds,
    private readonly clock: EngineClock,
    private readonly log: Log,
  ) {}

  /** Every tenant that is to be watched, page by page; any number of processes may do it at once. For the worker. */
  async check(): Promise<void> {
    const month = this.months.currentMonth();
    for (let after: TenantId | null = null; ;) {
      after = await this.checkPage(month, after);
      if (after === null) return;
    }
  }

  /** Answers the last tenant of the page; null after the last page. */
  private checkPage(month: Period, after: TenantId | null): Promise<TenantId | null> {
    return this.uow.forSystem(async () => {
      const tenants = await this.rows.watched(after);
      const charges = await this.chargesOf(month, tenants);
      // Read again under a lock: who changed a cap while charges were added up has the last word.
      const settings = await this.rows.lock([...charges.keys()]);
      const decided = [...settings].map(([tenantId, wanted]) => ({
        tenantId,
        ...decideSpend(wanted, month.name, charges.get(tenantId) ?? 0n),
      }));
      const events = decided.flatMap(({ tenantId, events: reached }) => reached.map((one) => ({ ...one, tenantId })));
      await this.rows.tell(events, this.clock.now());
      const capped = decided.filter(({ isCapped }) => isCapped).map(({ tenantId }) => tenantId);
      const free = decided.filter(({ isCapped }) => !isCapped).map(({ tenantId }) => tenantId);
      const held = await this.holds.hold(capped.map((tenantId) => ({ tenantId, stream: STREAM, until: month.end })));
      for (const { tenantId, until } of held) {
        this.log.info('marketing stopped at the spend cap', { tenant: tenantId, until: until.toISOString() });
      }
      for (const tenantId of await this.holds.release(free, STREAM)) {
        this.log.info('marketing goes on below the spend cap', { tenant: tenantId });
      }
      return tenants.at(-1) ?? null;
    });
  }

  private async chargesOf(month: Period, tenants: readonly TenantId[]): Promise<Map<TenantId, bigint>> {
    const without = (error: PlanPriceMissing) => {
      this.log.error('the charges of a tenant cannot be told', { error });
    };
    const found = await this.months.of(month, tenants, without, this.watched);
    return new Map(found.map(({ tenant, segments }) => [tenant.tenantId, charged(month, segments).totalMicro]));
  }
}
