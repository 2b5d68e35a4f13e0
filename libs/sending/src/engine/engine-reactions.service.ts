import type { HoldReason } from '@libs/fleet';
import { domainOf, isFresh, type SendingAccountId } from '@libs/kernel';
import { Log, Metrics } from '@libs/observability';
import { ProvisioningService } from '@libs/placement';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { ownersOf } from '../accept-route.policy';
import type { StoredContent } from '../stored-content';
import { AccountIncidents } from './account-incidents.service';
import type { IntendedAttempt } from './claim.repository';
import { EngineAccounts } from './engine-accounts.service';
import { EngineGate } from './engine-gate';
import { LedgerKeeper } from './ledger-keeper.service';
import type { Reaction } from './outcome.policy';

/** The same trouble on the same route is reported once in this time, milliseconds of engine time. */
const ONCE_MS = 10_000;
/** Not so for a hold: what comes after it has ended is news. */
const HOLD_ONCE_MS = 1_000;
/** Nor for an account that AWS refuses anew right after it was reinstated: by then everybody here knows what was written of it. */
const INCIDENT_ONCE_MS = 2_000;
/** What was granted before an account was frozen begins within this: the longest slice, and what is granted ahead of it. Engine time. */
const GRANTED_AHEAD_MS = 5_000;

/** The message whose answer asks for it. */
type Refused = Pick<IntendedAttempt, 'tenantId' | 'configurationSet' | 'content'>;

/** Does to an account or a route what an answer of SES asks for. Failing to do so is logged: the next answer asks again. */
@Injectable()
export class EngineReactions {
  private readonly lately = new Map<string, number>();
  private readonly holds;

  constructor(
    private readonly ledger: Ledger,
    private readonly accounts: EngineAccounts,
    private readonly incidents: AccountIncidents,
    private readonly keeper: LedgerKeeper,
    private readonly provisioning: ProvisioningService,
    private readonly gate: EngineGate,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.holds = metrics.counter(
      'route_holds_total',
      'Holds of mail that SES refused for its route or domain',
      ['why'],
      ['DRIFT', 'DENIED', 'IDENTITY'],
    );
  }

  /** `operation`: what SES refused. */
  async react(reaction: Reaction, account: SendingAccountId, refused: Refused, operation = 'SendEmail'): Promise<void> {
    try {
      await this.act(reaction, account, refused, operation);
    } catch (error) {
      this.log.warn('could not react to an answer of SES', { reaction: reaction.kind, sendingAccount: account, error });
    }
  }

  private async act(reaction: Reaction, account: SendingAccountId, refused: Refused, operation: string): Promise<void> {
    switch (reaction.kind) {
      case 'none':
        return;
      case 'slow':
        await this.ledger.throttle(account);
        return;
      case 'pause':
        return this.ledger.freeze(account, this.ledger.nowMs() + reaction.ms);
      case 'close-day':
        await this.close(account, reaction.ms);
        return this.lookAgain(account);
      case 'incident':
        await this.close(account, reaction.ms);
        return this.raise(account, reaction.state, operation);
      case 'reprovision':
        if (!this.isNew(`${account}:${refused.tenantId}`)) return;
        return this.provisioning.reprovision(refused.tenantId, account);
      case 'hold':
        if (reaction.why === 'IDENTITY') return this.holdDomain(account, refused);
        return this.holdRoute(account, refused, reaction.why);
    }
  }

  /** A frozen ledger grants nothing more; of what it has granted each batch would try its first message. */
  private close(account: SendingAccountId, ms: number): Promise<void> {
    const now = this.ledger.nowMs();
    this.gate.closeAccount(account, now, GRANTED_AHEAD_MS);
    return this.ledger.freeze(account, now + ms);
  }

  private async holdRoute(sendingAccount: SendingAccountId, refused: Refused, why: HoldReason): Promise<void> {
    const { tenantId: tenant, configurationSet } = refused;
    if (!this.isNew(`${sendingAccount}:${configurationSet}`, HOLD_ONCE_MS)) return;
    const until = await this.provisioning.holdRoute(tenant, sendingAccount, configurationSet, why);
    if (!until) return;
    this.holds.inc({ why });
    this.log.warn('SES refuses mail of a route: it is held', { sendingAccount, tenant, configurationSet, why, until });
  }

  private async holdDomain(sendingAccount: SendingAccountId, { tenantId: tenant, content }: Refused): Promise<void> {
    if (content === null) return;
    const domain = domainOf((JSON.parse(content) as StoredContent).from.email);
    if (!this.isNew(`${sendingAccount}:${tenant}:${domain}`, HOLD_ONCE_MS)) return;
    if (!(await this.provisioning.holdDomains(tenant, sendingAccount, ownersOf(domain)))) return;
    this.holds.inc({ why: 'IDENTITY' });
    this.log.warn('SES refuses mail from a domain: it is held', { sendingAccount, tenant, domain });
  }

  /** What SES has counted by now closes the ledger for as long as it is true. */
  private async lookAgain(id: SendingAccountId): Promise<void> {
    if (!this.isNew(`${id}:day`)) return;
    const account = await this.accounts.find(id);
    if (!account) return;
    this.log.warn('SES says the day of an account is used up', { sendingAccount: id });
    await this.keeper.observeOne(account);
  }

  private async raise(id: SendingAccountId, state: 'PAUSED' | 'SUSPENDED', operation: string): Promise<void> {
    if (!this.isNew(`${id}:${state}`, INCIDENT_ONCE_MS)) return;
    const account = await this.accounts.find(id);
    if (account) await this.incidents.refused(account, state, operation);
  }

  private isNew(what: string, onceMs = ONCE_MS): boolean {
    const now = this.ledger.nowMs();
    if (isFresh(this.lately.get(what) ?? 0, now, onceMs)) return false;
    if (this.lately.size > 1_000) this.lately.clear();
    this.lately.set(what, now);
    return true;
  }
}
