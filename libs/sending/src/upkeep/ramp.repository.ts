import { UnitOfWork } from '@libs/database';
import type { TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { RampTerms } from './ramp.policy';

const TERMS = `
  SELECT t.id, p.recipients_per_day::text AS cap, tier.ramp_floor::text AS floor, tier.ramp_factor::text AS factor
    FROM tenant t JOIN plan p ON p.id = t.plan_id JOIN tier ON tier.code = p.tier WHERE t.id = ANY($1::uuid[])`;

// Along the index of each tenant's attempts. Test mode reaches nobody, so it is no volume.
const HIGHEST = `
  SELECT tenant_id AS id, max(recipients)::text AS highest FROM (
    SELECT tenant_id, sum(n_rcpt) AS recipients FROM attempt
     WHERE tenant_id = ANY($1::uuid[]) AND created_at >= $2 AND created_at < $3 AND state = 'SENT' AND mode = 'LIVE'
     GROUP BY tenant_id, date_trunc('day', created_at, 'UTC')) AS day
   GROUP BY tenant_id`;

/** Both statements run in a transaction of their caller; in the api they see one tenant. */
@Injectable()
export class RampRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async terms(tenants: readonly TenantId[]): Promise<Map<TenantId, RampTerms>> {
    const rows = await this.uow.query<{ id: TenantId; cap: string | null; floor: string; factor: string }>(TERMS, [
      tenants,
    ]);
    return new Map(
      rows.map(({ id, cap, floor, factor }) => [
        id,
        { planCap: cap === null ? null : BigInt(cap), floor: BigInt(floor), factor },
      ]),
    );
  }

  /** Recipients of the highest UTC day in that time; tenants that sent nothing are missing. */
  async highestDays(tenants: readonly TenantId[], from: Date, to: Date): Promise<Map<TenantId, bigint>> {
    const rows = await this.uow.query<{ id: TenantId; highest: string }>(HIGHEST, [tenants, from, to]);
    return new Map(rows.map(({ id, highest }) => [id, BigInt(highest)]));
  }
}
