import { UnitOfWork } from '@libs/database';
import type { SendingAccountId, TenantId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { Ledger, READY_WINDOW } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { BacklogService } from '../backlog.service';
import { smallerCap } from '../day-cap.policy';
import { OfferLimits } from '../offer-limits.service';
import { EngineSettings } from './engine.settings';
import { FeederRepository, type WaitingLine } from './feeder.repository';
import { LeaseKeeper, type SpreadTenant } from './lease-keeper.service';
import { groupBy } from './side-by-side';

/** Real milliseconds; twice as long as an account may go without a look. */
export const FEED_LOCK_MS = 6_000;

/** Who waits for whom, within which limits; and what follows from a tenant that stands on several accounts. */
@Injectable()
export class FeedLines {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: FeederRepository,
    private readonly limits: OfferLimits,
    private readonly leases: LeaseKeeper,
    private readonly backlog: BacklogService,
    private readonly ledger: Ledger,
    private readonly settings: EngineSettings,
    private readonly log: Log,
  ) {}

  /** Every line with the limits of today: the ramp's too, and whether they are divided over several accounts. */
  async find(): Promise<WaitingLine[]> {
    const now = new Date(this.ledger.nowMs());
    const waiting = await this.uow.forLooks((looks) => this.rows.within(looks).lines(now, this.ledger.countedSince()));
    const caps = await this.limits.dayCaps([...new Set(waiting.map(({ tenantId }) => tenantId))]);
    const found = waiting.map((line) => {
      // Test mode reaches nobody: there is nothing to grow gradually.
      const ramp = line.mode === 'LIVE' ? (caps.get(line.tenantId) ?? null) : null;
      return { ...line, limits: { ...line.limits, dayCap: smallerCap(line.limits.dayCap, ramp) } };
    });
    const lines: WaitingLine[] = [];
    const spread: SpreadTenant[] = [];
    for (const own of groupBy(found, ({ tenantId, mode }) => `${tenantId} ${mode}`).values()) {
      const accounts = accountsOf(own);
      const leased = accounts.size > 1;
      lines.push(...own.map((line) => ({ ...line, limits: { ...line.limits, leased } })));
      const [first] = own;
      if (!leased || !first) continue;
      const { tenantId, mode, limits } = first;
      spread.push({ tenantId, mode, limits, accounts, left: leftOf(own) });
    }
    await this.divide(spread);
    for (const tenant of new Set(lines.filter(({ displaced }) => displaced).map(({ tenantId }) => tenantId))) {
      await this.bringBack(tenant);
    }
    return lines;
  }

  /** Each by the process that feeds the first of its accounts. */
  private async divide(spread: readonly SpreadTenant[]): Promise<void> {
    const mine: SpreadTenant[] = [];
    for (const [first, tenants] of groupBy(spread, ({ accounts }) => [...accounts.keys()].sort()[0])) {
      if (first !== undefined && (await this.feeds(first))) mine.push(...tenants);
    }
    const failed = await this.leases.divide(mine);
    const [one] = failed;
    if (!one) return;
    const [tenant, error] = one;
    this.log.warn('the limits of tenants could not be divided yet', { tenants: failed.size, tenant, error });
  }

  private async feeds(account: SendingAccountId): Promise<boolean> {
    try {
      return await this.ledger.hold(account, 'feed', this.settings.worker, FEED_LOCK_MS);
    } catch (error) {
      this.log.warn('the limits of tenants could not be divided yet', { account, error });
      return false;
    }
  }

  private async bringBack(tenant: TenantId): Promise<void> {
    try {
      await this.backlog.followPlacements(tenant);
    } catch (error) {
      this.log.warn('what came back to an account its tenant has left could not be moved yet', { tenant, error });
    }
  }
}

/** Where a tenant's mail goes, went within a day or stands, and a rough measure of what waits there. */
function accountsOf(lines: readonly WaitingLine[]): Map<SendingAccountId, number> {
  const accounts = new Map<SendingAccountId, number>();
  for (const { placedOn, formerlyOn } of lines) {
    for (const account of [...placedOn, ...formerlyOn]) accounts.set(account, 0);
  }
  for (const { sendingAccountId } of lines) {
    accounts.set(sendingAccountId, (accounts.get(sendingAccountId) ?? 0) + READY_WINDOW);
  }
  return accounts;
}

/** Those of them that it has left: nothing waits there, and nothing will. */
function leftOf(lines: readonly WaitingLine[]): Set<SendingAccountId> {
  const open = lines.flatMap(({ sendingAccountId, placedOn }) => [sendingAccountId, ...placedOn]);
  return new Set(lines.flatMap(({ formerlyOn }) => formerlyOn).filter((account) => !open.includes(account)));
}
