import { UnitOfWork } from '@libs/database';
import type { PlanId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { NewPlanPrice, PlanPrice, PriceTier } from './plan-price.policy';

interface PriceRow {
  id: string;
  plan_id: PlanId;
  valid_from: Date;
  valid_to: Date | null;
  base_fee_micro: string;
  included_recipients: string;
  dedicated_ip_fee_micro: string;
  minimum_micro: string;
  monotone: boolean;
  source: string;
  overage: { from: string; amountMicro: string; perUnits: string }[];
}

const SELECT = `
  SELECT id::text AS id, plan_id, valid_from, valid_to, base_fee_micro::text AS base_fee_micro,
         included_recipients::text AS included_recipients, dedicated_ip_fee_micro::text AS dedicated_ip_fee_micro,
         minimum_micro::text AS minimum_micro, monotone, source,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('from', tier.tier_from::text, 'amountMicro', tier.amount_micro::text,
                                                       'perUnits', tier.per_units::text) ORDER BY tier.tier_from), '[]')
            FROM plan_price_tier tier WHERE tier.plan_price_id = plan_price.id) AS overage
    FROM plan_price`;
const OF_PLAN = `${SELECT} WHERE plan_id = $1 ORDER BY valid_from`;
const WITHIN = `${SELECT} WHERE valid_from < $2 AND (valid_to IS NULL OR valid_to > $1) ORDER BY plan_id, valid_from`;

@Injectable()
export class PlanPriceRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** One plan's prices are written by one operator at a time. False when there is no such plan. */
  async lockPlan(plan: PlanId): Promise<boolean> {
    return (await this.uow.query('SELECT 1 FROM plan WHERE id = $1 FOR NO KEY UPDATE', [plan])).length > 0;
  }

  /** Oldest first. */
  async ofPlan(plan: PlanId): Promise<PlanPrice[]> {
    return (await this.uow.query<PriceRow>(OF_PLAN, [plan])).map(toPrice);
  }

  /** Those in force at some time from `from` until before `to`, of every plan, oldest first. */
  async within(from: Date, to: Date): Promise<PlanPrice[]> {
    return (await this.uow.query<PriceRow>(WITHIN, [from, to])).map(toPrice);
  }

  /** The database allows an end only where there is none. */
  async end(id: bigint, validTo: Date): Promise<void> {
    await this.uow.query('UPDATE plan_price SET valid_to = $2 WHERE id = $1', [id.toString(), validTo]);
  }

  /** The table refuses a validity that overlaps another one of the plan (SQLSTATE 23P01). */
  async insert(price: NewPlanPrice & { readonly planId: PlanId }): Promise<bigint> {
    const [row] = await this.uow.query<{ id: string }>(
      `INSERT INTO plan_price (plan_id, valid_from, base_fee_micro, included_recipients, dedicated_ip_fee_micro, minimum_micro, monotone, source)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id::text AS id`,
      [
        price.planId,
        price.validFrom,
        price.baseFeeMicro.toString(),
        price.includedRecipients.toString(),
        price.dedicatedIpFeeMicro.toString(),
        price.minimumMicro.toString(),
        price.monotone,
        price.source,
      ],
    );
    const id = BigInt(row?.id ?? '0');
    await this.insertTiers(id, price.overage);
    return id;
  }

  private async insertTiers(id: bigint, tiers: readonly PriceTier[]): Promise<void> {
    if (tiers.length === 0) return;
    await this.uow.query(
      `INSERT INTO plan_price_tier (plan_price_id, tier_from, amount_micro, per_units)
       SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[])`,
      [
        id.toString(),
        tiers.map((tier) => tier.from.toString()),
        tiers.map((tier) => tier.amountMicro.toString()),
        tiers.map((tier) => tier.perUnits.toString()),
      ],
    );
  }
}

function toPrice(row: PriceRow): PlanPrice {
  return {
    id: BigInt(row.id),
    planId: row.plan_id,
    validFrom: row.valid_from,
    validTo: row.valid_to,
    baseFeeMicro: BigInt(row.base_fee_micro),
    includedRecipients: BigInt(row.included_recipients),
    dedicatedIpFeeMicro: BigInt(row.dedicated_ip_fee_micro),
    minimumMicro: BigInt(row.minimum_micro),
    monotone: row.monotone,
    source: row.source,
    overage: row.overage.map((tier) => ({
      from: BigInt(tier.from),
      amountMicro: BigInt(tier.amountMicro),
      perUnits: BigInt(tier.perUnits),
    })),
  };
}
