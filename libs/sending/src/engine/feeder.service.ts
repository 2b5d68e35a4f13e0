import { UnitOfWork } from '@libs/database';
import type { SendingAccount } from '@libs/fleet';
import { STREAMS, type Stream } from '@libs/kernel';
import { Ledger, READY_WINDOW } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { BacklogService } from '../backlog.service';
import { EngineAccounts } from './engine-accounts.service';
import { FeederRepository, type HungryTenant } from './feeder.repository';

/** What is younger was offered by the api itself a moment ago. */
const SETTLED_MS = 2_000;

/** Keeps the ready lists in Redis filled from PostgreSQL: what was never offered, what did not fit, what Redis lost. */
@Injectable()
export class Feeder {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: FeederRepository,
    private readonly accounts: EngineAccounts,
    private readonly ledger: Ledger,
    private readonly backlog: BacklogService,
  ) {}

  /** Answers how many messages were queued. */
  async feed(): Promise<number> {
    let queued = 0;
    for (const account of await this.accounts.all()) queued += await this.feedAccount(account);
    return queued;
  }

  private async feedAccount(account: SendingAccount): Promise<number> {
    const stats = await this.ledger.stats(account.id);
    if (stats?.epoch !== account.epoch) return 0;
    let queued = 0;
    for (const stream of STREAMS) {
      for (const tenant of await this.uow.forSystem(() => this.rows.tenants(account.id, stream))) {
        const list = stats.ready.find((entry) => entry.tenantId === tenant.tenantId && entry.stream === stream);
        queued += await this.feedTenant(account, stream, tenant, list?.messages ?? 0);
      }
    }
    return queued;
  }

  private async feedTenant(
    account: SendingAccount,
    stream: Stream,
    { tenantId, paused, displaced, limits }: HungryTenant,
    listed: number,
  ): Promise<number> {
    if (paused) {
      // Grants for mail that may not go would cost the other tenants of the account their rate.
      if (listed > 0) await this.ledger.drop(account.id, tenantId, stream);
      return 0;
    }
    if (displaced) await this.backlog.followPlacements(tenantId);
    // A full list needs no messages, but the limits of a plan that has changed: waiting for room could take a day.
    const messages = listed > READY_WINDOW / 2 ? [] : await this.page(account, stream, tenantId);
    return messages.length > 0 || listed > 0 ? this.ledger.offer(account.id, tenantId, stream, limits, messages) : 0;
  }

  private page(account: SendingAccount, stream: Stream, tenant: Parameters<FeederRepository['ready']>[2]) {
    const now = this.ledger.nowMs();
    return this.uow.forSystem(() =>
      this.rows.ready(account.id, stream, tenant, new Date(now - SETTLED_MS), new Date(now), READY_WINDOW),
    );
  }
}
