import { UnitOfWork } from '@libs/database';
import type { SendingAccount } from '@libs/fleet';
import { STREAMS, type Stream } from '@libs/kernel';
import { Ledger, READY_WINDOW } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { EngineAccounts } from './engine-accounts.service';
import { FeederRepository } from './feeder.repository';

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
      const tenants = await this.uow.forSystem(() => this.rows.tenants(account.id, stream));
      for (const tenant of tenants) {
        const list = stats.ready.find((entry) => entry.tenantId === tenant.tenantId && entry.stream === stream);
        if ((list?.messages ?? 0) > READY_WINDOW / 2) continue;
        const messages = await this.page(account, stream, tenant.tenantId);
        if (messages.length > 0) {
          queued += await this.ledger.offer(account.id, tenant.tenantId, stream, tenant.limits, messages);
        }
      }
    }
    return queued;
  }

  private page(account: SendingAccount, stream: Stream, tenant: Parameters<FeederRepository['ready']>[2]) {
    const now = this.ledger.nowMs();
    return this.uow.forSystem(() =>
      this.rows.ready(account.id, stream, tenant, new Date(now - SETTLED_MS), new Date(now), READY_WINDOW),
    );
  }
}
