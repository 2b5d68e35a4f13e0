import { UnitOfWork } from '@libs/database';
import type { TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { BillingProfile } from './billing-profile.policy';

interface ProfileRow {
  legal_name: string;
  address: string[];
  tax_id: string | null;
  email: string | null;
}

@Injectable()
export class BillingProfileRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async find(tenant: TenantId): Promise<BillingProfile | undefined> {
    const [row] = await this.uow.query<ProfileRow>(
      'SELECT legal_name, address, tax_id, email FROM billing_profile WHERE tenant_id = $1',
      [tenant],
    );
    return row && { legalName: row.legal_name, address: row.address, taxId: row.tax_id, email: row.email };
  }

  async save(tenant: TenantId, profile: BillingProfile, at: Date): Promise<void> {
    await this.uow.query(
      `INSERT INTO billing_profile (tenant_id, legal_name, address, tax_id, email, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (tenant_id) DO UPDATE SET legal_name = excluded.legal_name, address = excluded.address, tax_id = excluded.tax_id,
         email = excluded.email, updated_at = excluded.updated_at`,
      [tenant, profile.legalName, profile.address, profile.taxId, profile.email, at],
    );
  }
}
