import { AuditService } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { SendingAccountService, type SendingAccount } from '@libs/fleet';
import { toPublicId, type SendingAccountId } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { Injectable } from '@nestjs/common';

type Refused = 'PAUSED' | 'SUSPENDED';

/** An account that AWS does not let send: said to everybody who must know, once per change, and again when it is over. */
@Injectable()
export class AccountIncidents {
  private readonly raised;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly fleet: SendingAccountService,
    private readonly audit: AuditService,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.raised = metrics.counter(
      'account_incidents_total',
      'Accounts that were paused or suspended',
      ['state'],
      ['PAUSED', 'SUSPENDED'],
    );
  }

  /** A send was refused for the whole account. @param answer what SES said */
  async refused(account: SendingAccount, state: Refused, answer: string): Promise<void> {
    if (account.state === 'SUSPENDED' || account.state === state) return;
    await this.uow.forSystem(async () => {
      await this.fleet.markFromSend(account.id, state);
      await this.record(account.id, state, { from: account.state, answer });
    });
    this.announce(account.id, state, answer);
  }

  /** What an observation changed. Its own writer has saved the state already. */
  async observed(before: SendingAccount, now: SendingAccount): Promise<void> {
    if (before.state === now.state) return;
    const refused = now.state === 'PAUSED' || now.state === 'SUSPENDED';
    if (!refused && before.state !== 'PAUSED' && before.state !== 'SUSPENDED') return;
    await this.uow.forSystem(() => this.record(now.id, now.state, { from: before.state, answer: 'GetAccount' }));
    if (refused) this.announce(now.id, now.state, 'GetAccount');
    else this.log.warn('an account may send again', { sendingAccount: now.id, state: now.state });
  }

  private announce(account: SendingAccountId, state: string, answer: string): void {
    this.raised.inc({ state });
    this.log.error('AWS does not let an account send: it is frozen', { sendingAccount: account, state, answer });
  }

  private record(account: SendingAccountId, state: string, detail: Record<string, unknown>): Promise<void> {
    return this.audit.record({
      actor: 'worker',
      action: `sendingAccount.${state.toLowerCase()}`,
      subject: toPublicId('sendingAccount', account),
      detail,
    });
  }
}
