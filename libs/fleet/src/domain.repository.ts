import { UnitOfWork } from '@libs/database';
import type { DomainId, SendingAccountId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** A domain that a tenant sends from. READY when SES has verified it in every account that serves the tenant. */
export interface Domain {
  readonly id: DomainId;
  readonly tenantId: TenantId;
  /** Lower-case ASCII. */
  readonly name: string;
  readonly state: 'PENDING' | 'READY';
  readonly createdAt: Date;
  readonly checkedAt: Date | null;
}

/** A domain as an identity of one sending account. */
export interface DomainIdentity {
  readonly domainId: DomainId;
  readonly name: string;
  readonly sendingAccountId: SendingAccountId;
  readonly state: 'PENDING' | 'VERIFIED' | 'FAILED';
}

const COLUMNS = `id, tenant_id AS "tenantId", name, state, created_at AS "createdAt", checked_at AS "checkedAt"`;
const LIST = `SELECT ${COLUMNS} FROM domain WHERE tenant_id = $1 ORDER BY id`;
const PROMOTE = `UPDATE domain d SET state = 'READY', checked_at = $2
  WHERE d.tenant_id = $1 AND d.state = 'PENDING'
    AND EXISTS (SELECT FROM domain_identity i WHERE i.tenant_id = d.tenant_id AND i.domain_id = d.id)
    AND NOT EXISTS (SELECT FROM domain_identity i
                     WHERE i.tenant_id = d.tenant_id AND i.domain_id = d.id AND i.state <> 'VERIFIED')
  RETURNING ${COLUMNS}`;
// Half of them young: domains that nobody set up must not keep a new one waiting. The others in turns, or new ones that nobody
// sets up would keep an old one waiting whose DNS has just been mended.
const DUE = `
  WITH due AS (
    SELECT tenant_id AS "tenantId", max(id::text) AS latest, min(coalesce(checked_at, created_at)) AS looked FROM domain
     WHERE state = 'PENDING' AND (checked_at IS NULL OR checked_at <= $1) GROUP BY tenant_id
  )
  (SELECT "tenantId" FROM due ORDER BY latest DESC LIMIT ($2::int + 1) / 2)
   UNION
  (SELECT "tenantId" FROM due ORDER BY looked LIMIT $2::int / 2)`;

// Identities that SES took back, on accounts that tenants send from now, in turns. Not those of a move under way: it asks itself.
const LOST = `SELECT i.tenant_id AS "tenantId" FROM domain_identity i
  JOIN domain d ON d.tenant_id = i.tenant_id AND d.id = i.domain_id AND d.state = 'READY'
  JOIN sending_account s ON s.id = i.sending_account_id JOIN aws_account a ON a.id = s.aws_account_id AND a.state = 'ACTIVE'
 WHERE i.state <> 'VERIFIED' AND i.checked_at <= $1
   AND EXISTS (SELECT FROM placement p WHERE p.tenant_id = i.tenant_id AND p.sending_account_id = i.sending_account_id AND p.valid_to IS NULL)
 GROUP BY i.tenant_id ORDER BY min(i.checked_at) LIMIT $2`;

@Injectable()
export class DomainRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** False when the domain belongs to somebody already. */
  async insert(tenant: TenantId, domain: Domain): Promise<boolean> {
    const rows = await this.uow.query(
      `INSERT INTO domain (tenant_id, id, name, state, created_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (name) DO NOTHING RETURNING id`,
      [tenant, domain.id, domain.name, domain.state, domain.createdAt],
    );
    return rows.length > 0;
  }

  list(tenant: TenantId): Promise<Domain[]> {
    return this.uow.query<Domain>(LIST, [tenant]);
  }

  identities(tenant: TenantId): Promise<DomainIdentity[]> {
    return this.uow.query<DomainIdentity>(
      `SELECT i.domain_id AS "domainId", d.name, i.sending_account_id AS "sendingAccountId", i.state
         FROM domain_identity i JOIN domain d ON d.tenant_id = i.tenant_id AND d.id = i.domain_id
        WHERE i.tenant_id = $1 ORDER BY i.domain_id, i.sending_account_id`,
      [tenant],
    );
  }

  async saveIdentity(
    tenant: TenantId,
    domain: DomainId,
    account: SendingAccountId,
    state: DomainIdentity['state'],
    at: Date,
  ): Promise<void> {
    await this.uow.query(
      `INSERT INTO domain_identity (tenant_id, domain_id, sending_account_id, state, checked_at)
       VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (tenant_id, domain_id, sending_account_id)
         DO UPDATE SET state = excluded.state, checked_at = excluded.checked_at`,
      [tenant, domain, account, state, at],
    );
  }

  /** SES says that mail from this domain may not be sent there: it waits until SES says otherwise. False when that is known. */
  async doubt(tenant: TenantId, account: SendingAccountId, names: readonly string[], at: Date): Promise<boolean> {
    const rows = await this.uow.query(
      `UPDATE domain_identity i SET state = 'PENDING', checked_at = $4 FROM domain d
        WHERE i.tenant_id = $1 AND i.sending_account_id = $2 AND i.state = 'VERIFIED'
          AND d.tenant_id = i.tenant_id AND d.id = i.domain_id AND d.name = ANY($3::text[]) RETURNING d.id`,
      [tenant, account, names, at],
    );
    return rows.length > 0;
  }

  async touch(tenant: TenantId, at: Date): Promise<void> {
    await this.uow.query(`UPDATE domain SET checked_at = $2 WHERE tenant_id = $1 AND state = 'PENDING'`, [tenant, at]);
  }

  async touchIdentity(tenant: TenantId, domain: DomainId, account: SendingAccountId, at: Date): Promise<void> {
    await this.uow.query(
      `UPDATE domain_identity SET checked_at = $4
        WHERE tenant_id = $1 AND domain_id = $2 AND sending_account_id = $3 AND state <> 'VERIFIED'`,
      [tenant, domain, account, at],
    );
  }

  /** Makes READY what is verified everywhere it is set up; answers those domains. */
  promote(tenant: TenantId, at: Date): Promise<Domain[]> {
    return this.uow.query<Domain>(PROMOTE, [tenant, at]);
  }

  /** Tenants with domains that wait and were not looked at since `before`. For the engine. */
  async tenantsWaiting(before: Date, limit: number): Promise<TenantId[]> {
    const rows = await this.uow.prepared<{ tenantId: TenantId }>(DUE, [before, limit]);
    return rows.map(({ tenantId }) => tenantId);
  }

  /** Tenants with READY domains that SES no longer takes mail from, last asked about before then. For the engine. */
  async tenantsThatLost(before: Date, limit: number): Promise<TenantId[]> {
    const rows = await this.uow.prepared<{ tenantId: TenantId }>(LOST, [before, limit]);
    return rows.map(({ tenantId }) => tenantId);
  }
}
