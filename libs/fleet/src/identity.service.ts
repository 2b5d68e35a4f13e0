import { SesControl } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import { EngineClock, notFound, type DomainId, type SendingAccountId, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AwsAccountRepository } from './aws-account.repository';
import { DomainRepository, type Domain } from './domain.repository';
import { manageRole } from './fleet-role.policy';
import { SendingAccountRepository } from './sending-account.repository';

/** Sets tenants' domains up as identities in SES and watches them become verified. Worker only. */
@Injectable()
export class IdentityService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly awsAccounts: AwsAccountRepository,
    private readonly accounts: SendingAccountRepository,
    private readonly domains: DomainRepository,
    private readonly ses: SesControl,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Makes every domain of the tenant an identity of that sending account; those verified there already cost no call.
   * @throws DomainError NOT_FOUND; AWS's error
   */
  async ensureIdentities(tenant: TenantId, account: SendingAccountId): Promise<void> {
    const { domains, verified } = await this.uow.forSystem(async () => ({
      domains: await this.domains.list(tenant),
      verified: new Set(
        (await this.domains.identities(tenant))
          .filter((identity) => identity.sendingAccountId === account && identity.state === 'VERIFIED')
          .map(({ domainId }) => domainId),
      ),
    }));
    const missing = domains.filter(({ id }) => !verified.has(id));
    if (missing.length === 0) return;
    const control = await this.control(account);
    for (const { id, name } of missing) await this.save(tenant, id, account, await control.ensureIdentity(name));
  }

  /**
   * Asks SES about identities that wait, and makes READY the domains that are verified everywhere they are set up.
   * Answers the domains that became ready. @throws AWS's error
   */
  async refresh(tenant: TenantId): Promise<Domain[]> {
    const identities = await this.uow.forSystem(() => this.domains.identities(tenant));
    const failures: unknown[] = [];
    for (const { domainId, name, sendingAccountId } of identities.filter(({ state }) => state !== 'VERIFIED')) {
      try {
        const control = await this.control(sendingAccountId);
        // Somebody may have deleted it there: then it is made again.
        const verified = (await control.identityVerified(name)) ?? (await control.ensureIdentity(name));
        await this.save(tenant, domainId, sendingAccountId, verified);
      } catch (error) {
        // It had its turn: who cannot be asked must not be first every time.
        await this.uow.forSystem(() =>
          this.domains.touchIdentity(tenant, domainId, sendingAccountId, this.clock.now()),
        );
        failures.push(error);
      }
    }
    const ready = await this.uow.forSystem(async () => {
      const promoted = await this.domains.promote(tenant, this.clock.now());
      await this.domains.touch(tenant, this.clock.now());
      return promoted;
    });
    if (failures.length > 0) throw failures[0];
    return ready;
  }

  /** True when every domain of the tenant is verified in that sending account. */
  async allVerified(tenant: TenantId, account: SendingAccountId): Promise<boolean> {
    return this.uow.forSystem(async () => {
      const domains = await this.domains.list(tenant);
      const there = (await this.domains.identities(tenant)).filter(
        ({ sendingAccountId }) => sendingAccountId === account,
      );
      return domains.every(({ id }) => there.some(({ domainId, state }) => domainId === id && state === 'VERIFIED'));
    });
  }

  /** Tenants whose domains wait and were not looked at for `pauseMs`; the newest first. */
  waiting(pauseMs: number, limit: number): Promise<TenantId[]> {
    const before = new Date(this.clock.nowMs() - pauseMs);
    return this.uow.forSystem(() => this.domains.tenantsWaiting(before, limit));
  }

  /**
   * SES refused mail from those domains on that account: it is held there until SES has verified them again. Answers
   * whether that is news. Part of the current unit.
   */
  doubt(tenant: TenantId, account: SendingAccountId, domains: readonly string[]): Promise<boolean> {
    return this.uow.forSystem(() => this.domains.doubt(tenant, account, domains, this.clock.now()));
  }

  /** Tenants whose domains were taken back by SES and were not asked about for `pauseMs`. */
  lost(pauseMs: number, limit: number): Promise<TenantId[]> {
    const before = new Date(this.clock.nowMs() - pauseMs);
    return this.uow.forSystem(() => this.domains.tenantsThatLost(before, limit));
  }

  private save(tenant: TenantId, domain: DomainId, account: SendingAccountId, verified: boolean): Promise<void> {
    const state = verified ? 'VERIFIED' : 'PENDING';
    return this.uow.forSystem(() => this.domains.saveIdentity(tenant, domain, account, state, this.clock.now()));
  }

  private async control(id: SendingAccountId) {
    const role = await this.uow.forSystem(async () => {
      const [account] = await this.accounts.findByIds([id]);
      const [owner] = account ? await this.awsAccounts.findByIds([account.awsAccountId]) : [];
      if (!account || !owner) throw notFound('The sending account', ['sendingAccountId']);
      return manageRole(owner, account.region);
    });
    return this.ses.for(role);
  }
}
