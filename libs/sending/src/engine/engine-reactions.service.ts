import { SendingAccountService } from '@libs/fleet';
import type { SendingAccountId, TenantId } from '@libs/kernel';
import { Log } from '@libs/observability';
import { ProvisioningService } from '@libs/placement';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import type { Reaction } from './outcome.policy';

/** The same trouble on the same route is reported once in this time, milliseconds of engine time. */
const ONCE_MS = 10_000;

/** Does to an account or a route what an answer of SES asks for. Failing to do so is logged: the next answer asks again. */
@Injectable()
export class EngineReactions {
  private readonly lately = new Map<string, number>();

  constructor(
    private readonly ledger: Ledger,
    private readonly fleet: SendingAccountService,
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
      case 'pause':
        return this.ledger.freeze(account, this.ledger.nowMs() + reaction.ms);
      case 'mark':
        await this.ledger.freeze(account, this.ledger.nowMs() + reaction.ms);
        if (this.isNew(`${account}:${reaction.state}`)) await this.fleet.markFromSend(account, reaction.state);
        return;
      case 'reprovision':
        if (!this.isNew(`${account}:${tenant}`)) return;
        await this.provisioning.reprovision(tenant, account);
        return;
    }
  }

  private isNew(what: string): boolean {
    const now = this.ledger.nowMs();
    if ((this.lately.get(what) ?? 0) > now - ONCE_MS) return false;
    if (this.lately.size > 1_000) this.lately.clear();
    this.lately.set(what, now);
    return true;
  }
}
