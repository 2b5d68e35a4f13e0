import type { SendingAccountId, TenantId } from '@libs/kernel';
import { Metrics } from '@libs/observability';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { EngineAccounts } from './engine-accounts.service';
import { jainIndex } from './fairness.policy';

/** Publishes how evenly each account serves the tenants that wait for it, by weight, between one look and the next. */
@Injectable()
export class FairnessMeter {
  private readonly index;
  private before = new Map<SendingAccountId, ReadonlyMap<TenantId, number>>();

  constructor(
    private readonly accounts: EngineAccounts,
    private readonly ledger: Ledger,
    metrics: Metrics,
  ) {
    this.index = metrics.gauge(
      'fairness_index',
      "Jain's index of recipients granted per weight among waiting tenants",
      ['account'],
    );
  }

  async measure(): Promise<void> {
    const seen = new Map<SendingAccountId, ReadonlyMap<TenantId, number>>();
    for (const { id } of await this.accounts.all()) {
      const served = await this.ledger.served(id);
      const earlier = this.before.get(id);
      // Only those who waited at both looks were in the race all the time.
      const shares = served.flatMap(({ tenantId, recipients, weight, parked }) => {
        const then = earlier?.get(tenantId);
        return then === undefined || parked || recipients < then ? [] : [(recipients - then) / weight];
      });
      const index = jainIndex(shares);
      if (index !== undefined) this.index.set({ account: id }, index);
      seen.set(id, new Map(served.map(({ tenantId, recipients }) => [tenantId, recipients])));
    }
    this.before = seen;
  }
}
