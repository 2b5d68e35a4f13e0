import type { SendingAccountId, TenantId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { ProvisioningService } from '@libs/placement';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { AccountIncidents } from './account-incidents.service';
import { EngineAccounts } from './engine-accounts.service';
import { LedgerKeeper } from './ledger-keeper.service';
import type { Reaction } from './outcome.policy';

/** The same trouble on the same route is reported once in this time, milliseconds of engine time. */
const ONCE_MS = 10_000;

/** Does to an account or a route what an answer of SES asks for. Failing to do so is logged: the next answer asks again. */
@Injectable()
export class EngineReactions {
  private readonly lately = new Map<string, number>();

  constructor(
    private readonly ledger: Ledger,
    private readonly accounts: EngineAccounts,
    private readonly incidents: AccountIncidents,
    private readonly keeper: LedgerKeeper,
    private readonly provisioning: ProvisioningService,
    private readonly log: Log,
  ) {}

  async react(reaction: Reaction, account: SendingAccountId, tenant: TenantId): Promise<void> {
    try {
      await this.act(reaction, account, tenant);
    } catch (error) {
      this.log.warn('could not react to an answer of SES', { reaction: reaction.kind, sendingAccount: account, error });
    }
  }

  private async act(reaction: Reaction, account: SendingAccountId, tenant: TenantId): Promise<void> {
    switch (reaction.kind) {
      case 'none':
        return;
      case 'slow':
        await this.ledger.throttle(account);
        return;
      case 'pause':
        return this.ledger.freeze(account, this.ledger.nowMs() + reaction.ms);
      case 'close-day':
        await this.ledger.freeze(account, this.ledger.nowMs() + reaction.ms);
        return this.lookAgain(account);
      case 'incident':
        await this.ledger.freeze(account, this.ledger.nowMs() + reaction.ms);
        return this.raise(account, reaction.state);
      case 'reprovision':
        if (!this.isNew(`${account}:${tenant}`)) return;
        return this.provisioning.reprovision(tenant, account);
    }
  }

  /** What SES has counted by now closes the ledger for as long as it is true. */
  private async lookAgain(id: SendingAccountId): Promise<void> {
    if (!this.isNew(`${id}:day`)) return;
    const account = await this.accounts.find(id);
    if (!account) return;
    this.log.warn('SES says the day of an account is used up', { sendingAccount: id });
    await this.keeper.observeOne(account);
  }

  private async raise(id: SendingAccountId, state: 'PAUSED' | 'SUSPENDED'): Promise<void> {
    if (!this.isNew(`${id}:${state}`)) return;
    const account = await this.accounts.find(id);
    if (account) await this.incidents.refused(account, state, 'SendEmail');
  }

  private isNew(what: string): boolean {
    const now = this.ledger.nowMs();
    if ((this.lately.get(what) ?? 0) > now - ONCE_MS) return false;
    if (this.lately.size > 1_000) this.lately.clear();
    this.lately.set(what, now);
    return true;
  }
}
