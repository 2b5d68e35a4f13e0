import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { DomainError, EngineClock, toPublicId, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { profileIssues, type BillingProfile } from './billing-profile.policy';
import { BillingProfileRepository } from './billing-profile.repository';

/** Whom a tenant's invoices are made out to; what is issued already stays as it is. */
@Injectable()
export class BillingProfiles {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly profiles: BillingProfileRepository,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
  ) {}

  /** Null as long as nobody said: invoices are made out to the tenant's name then. */
  async get(tenant: TenantId): Promise<BillingProfile | null> {
    return (await this.uow.forTenant(tenant, () => this.profiles.find(tenant))) ?? null;
  }

  /** @throws DomainError INVALID_INPUT, with every wrong field at once */
  async set(tenant: TenantId, profile: BillingProfile, by: Author): Promise<void> {
    DomainError.throwIfAny(profileIssues(profile));
    await this.uow.forTenant(tenant, async () => {
      await this.profiles.save(tenant, profile, this.clock.now());
      const subject = toPublicId('tenant', tenant);
      await this.audit.record({ ...by, action: 'billing-profile.set', subject, tenant });
    });
  }
}
