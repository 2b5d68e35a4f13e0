import { UnitOfWork } from '@libs/database';
import type { TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { BillingProfile } from './billing-profile.policy';

const FIND = `
  SELECT legal_name AS "legalName", address, tax_id AS "taxId", email FROM billing_profile WHERE tenant_id = $1`;

/** Every method runs in a unit of its caller. */
@Injectable()
export class BillingProfileRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async find(tenant: TenantId): Promise<BillingProfile | null> {
    return (await this.uow.query<BillingProfile>(FIND, [tenant]))[0] ?? null;
  }

  async save(tenant: TenantId, { legalName, address, taxId, email }: BillingProfile, at: Date): Promise<void> {
    await this.uow.query(
      `INSERT INTO billing_profile (tenant_id, legal_name, address, tax_id, email, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (tenant_id) DO UPDATE
         SET legal_name = excluded.legal_name, address = excluded.address, tax_id = excluded.tax_id, email = excluded.email,
             updated_at = excluded.updated_at`,
      [tenant, legalName, address, taxId, email, at],
    );
  }
}
