import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { canonicalAddress, DomainError, EngineClock, toPublicId, type TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { profileIssues, type BillingProfile } from './billing-profile.policy';
import { BillingProfileRepository } from './billing-profile.repository';

@Injectable()
export class BillingProfiles {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly rows: BillingProfileRepository,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
  ) {}

  /** Null while the tenant has said nothing: invoices carry its name alone then. */
  find(tenant: TenantId): Promise<BillingProfile | null> {
    return this.uow.forTenant(tenant, () => this.rows.find(tenant));
  }

  /**
   * As a whole; for invoices that are drafted from now on.
   * @throws DomainError INVALID_INPUT, every wrong field at once
   */
  update(tenant: TenantId, wanted: BillingProfile, by: Author): Promise<BillingProfile> {
    DomainError.throwIfAny(profileIssues(wanted));
    const profile = { ...wanted, email: wanted.email === null ? null : (canonicalAddress(wanted.email) ?? null) };
    return this.uow.forTenant(tenant, async () => {
      const before = await this.rows.find(tenant);
      await this.rows.save(tenant, profile, this.clock.now());
      const changed = (['legalName', 'address', 'taxId', 'email'] as const).filter(
        (field) => JSON.stringify(before?.[field]) !== JSON.stringify(profile[field]),
      );
      const subject = toPublicId('tenant', tenant);
      await this.audit.record({ ...by, action: 'billing-profile.update', subject, tenant, detail: { changed } });
      return profile;
    });
  }
}
