import { UnitOfWork } from '@libs/database';
import type { PlanId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Days, PlanTerm } from '../price/price-segments.policy';
import type { SegmentUsage } from './invoice-draft.policy';
import type { Party } from './invoice-input.policy';

/** Whom a month's invoice would be for, and what plans it had in the month. */
export interface BilledTenant {
  readonly tenantId: TenantId;
  readonly buyer: Party;
  readonly terms: readonly PlanTerm[];
}

interface BilledRow {
  tenant_id: TenantId;
  name: string;
  address: string[] | null;
  tax_id: string | null;
  email: string | null;
  terms: { planId: PlanId; planName: string; from: string; to: string | null }[] | null;
}

const BILLED = `
  SELECT tenant.id AS tenant_id, coalesce(profile.legal_name, tenant.name) AS name, profile.address, profile.tax_id, profile.email,
         (SELECT jsonb_agg(jsonb_build_object('planId', term.plan_id, 'planName', plan.name, 'from', term.valid_from, 'to', term.valid_to)
                           ORDER BY term.valid_from)
            FROM tenant_plan term JOIN plan ON plan.id = term.plan_id
           WHERE term.tenant_id = tenant.id AND term.valid_from < $2 AND (term.valid_to IS NULL OR term.valid_to > $1)) AS terms
    FROM tenant LEFT JOIN billing_profile profile ON profile.tenant_id = tenant.id`;
const BILLED_PAGE = `${BILLED}
   WHERE ($3::uuid IS NULL OR tenant.id > $3)
     AND EXISTS (SELECT FROM tenant_plan term WHERE term.tenant_id = tenant.id AND term.valid_from < $2
                    AND (term.valid_to IS NULL OR term.valid_to > $1))
   ORDER BY tenant.id LIMIT 500`;
const BILLED_SOME = `${BILLED} WHERE tenant.id = ANY($3::uuid[])`;

/** What a month's invoices are made of: plans, buyers and rolled-up usage, for many tenants at once. */
@Injectable()
export class InvoiceFactsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** The next tenants that had a plan in the month, by id. */
  async page(from: Date, to: Date, after: TenantId | null): Promise<BilledTenant[]> {
    return (await this.uow.query<BilledRow>(BILLED_PAGE, [from, to, after])).map(toBilled);
  }

  /** Those of the tenants that exist; one that had no plan in the month has no terms. */
  async some(from: Date, to: Date, tenants: readonly TenantId[]): Promise<BilledTenant[]> {
    return (await this.uow.query<BilledRow>(BILLED_SOME, [from, to, tenants])).map(toBilled);
  }

  /** How many tenants had a plan in the month. */
  async count(from: Date, to: Date): Promise<bigint> {
    const [row] = await this.uow.query<{ count: string }>(
      `SELECT count(DISTINCT tenant_id)::text AS count FROM tenant_plan WHERE valid_from < $2 AND (valid_to IS NULL OR valid_to > $1)`,
      [from, to],
    );
    return BigInt(row?.count ?? '0');
  }

  /** What was rolled up for the period, for each of the given ranges of days. */
  async usage(period: string, ranges: readonly (Days & { tenantId: TenantId })[]): Promise<SegmentUsage[]> {
    const rows = await this.uow.query<{ place: string; recipients: string; ip_ms: string }>(
      `SELECT place::text AS place, coalesce(sum(used.qty) FILTER (WHERE used.sku = 'ses.recipient'), 0)::text AS recipients,
              coalesce(sum(used.qty) FILTER (WHERE used.sku = 'ses.dedicated_ip_month'), 0)::text AS ip_ms
         FROM unnest($2::uuid[], $3::date[], $4::date[]) WITH ORDINALITY AS range (tenant_id, from_day, to_day, place)
         JOIN usage_rollup used ON used.tenant_id = range.tenant_id AND used.period = $1 AND used.sku <> 'ses.pool_recipient'
              AND used.day >= range.from_day AND used.day < range.to_day
        GROUP BY place`,
      [
        period,
        ranges.map((range) => range.tenantId),
        ranges.map((range) => range.from),
        ranges.map((range) => range.to),
      ],
    );
    const found = new Map(rows.map((row) => [BigInt(row.place), row]));
    return ranges.map((_, index) => {
      const row = found.get(BigInt(index) + 1n);
      return { recipients: BigInt(row?.recipients ?? '0'), ipMs: BigInt(row?.ip_ms ?? '0') };
    });
  }
}

function toBilled(row: BilledRow): BilledTenant {
  return {
    tenantId: row.tenant_id,
    buyer: { name: row.name, address: row.address ?? [], taxId: row.tax_id, email: row.email },
    terms: (row.terms ?? []).map((term) => ({
      ...term,
      from: new Date(term.from),
      to: term.to === null ? null : new Date(term.to),
    })),
  };
}
