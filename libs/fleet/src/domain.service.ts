import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import {
  canonicalDomain,
  DomainError,
  EngineClock,
  newId,
  toPublicId,
  type DomainId,
  type Issue,
  type TenantId,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { DomainRepository, type Domain, type DomainIdentity } from './domain.repository';

/**
 * Domains that tenants send from. In this version an operator vouches for a domain when the tenant is made; a proof of
 * ownership by DNS comes later. A domain has one owner in the whole fleet.
 */
@Injectable()
export class DomainService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly domains: DomainRepository,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
  ) {}

  /**
   * Takes domains in as PENDING; provisioning sets them up in SES. For operators.
   * @param path where the list stands in the caller's input
   * @throws DomainError INVALID_INPUT or CONFLICT, every wrong entry at once
   */
  add(
    tenant: TenantId,
    names: readonly string[],
    by: Author,
    path: readonly string[] = ['domains'],
  ): Promise<Domain[]> {
    return this.uow.forSystem(async () => {
      const issues: Issue[] = [];
      const added: Domain[] = [];
      for (const [i, given] of names.entries()) {
        const at = [...path, String(i)];
        const name = canonicalDomain(given);
        if (name === undefined) {
          issues.push({ code: 'INVALID_INPUT', message: 'Expected a domain name such as mail.example.com.', path: at });
          continue;
        }
        const domain: Domain = {
          id: newId<DomainId>(),
          tenantId: tenant,
          name,
          state: 'PENDING',
          createdAt: this.clock.now(),
          checkedAt: null,
        };
        if (await this.domains.insert(tenant, domain)) added.push(domain);
        // Whose it is, is nobody's business.
        else issues.push({ code: 'CONFLICT', message: `The domain ${name} is in use already.`, path: at });
      }
      DomainError.throwIfAny(issues);
      for (const domain of added) {
        const subject = toPublicId('domain', domain.id);
        await this.audit.record({ ...by, action: 'domain.add', subject, tenant, detail: { name: domain.name } });
      }
      return added;
    });
  }

  /** In order of creation. */
  list(tenant: TenantId): Promise<Domain[]> {
    return this.uow.forTenant(tenant, () => this.domains.list(tenant));
  }

  /** Those that may be sent from now. */
  async readyFor(tenant: TenantId): Promise<Domain[]> {
    return (await this.list(tenant)).filter(({ state }) => state === 'READY');
  }

  /** Where each domain is set up, and whether SES has verified it there. For operators and the engine. */
  identities(tenant: TenantId): Promise<DomainIdentity[]> {
    return this.uow.forSystem(() => this.domains.identities(tenant));
  }
}
