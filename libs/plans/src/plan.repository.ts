import { UnitOfWork } from '@libs/database';
import {
  isBackwards,
  toPage,
  type InDoubtPolicy,
  type Page,
  type PageRequest,
  type PlanId,
  type Stream,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Plan, Tier } from './new-plan.policy';
import type { TierRamp } from './tier-ramp.policy';

interface PlanRow {
  id: PlanId;
  code: string;
  name: string;
  tier: string;
  streams: Stream[];
  weight: number;
  recipients_per_day: string | null;
  recipients_per_second: string | null;
  dedicated_ips: boolean;
  base_fee_micro: string;
  body_retention_days: number;
  metadata_retention_days: number;
  transactional_in_doubt: InDoubtPolicy;
  marketing_in_doubt: InDoubtPolicy;
  created_at: Date;
}

type TierRow = Omit<Tier, 'rampFloor'> & { rampFloor: string };

const TIER_COLUMNS = `code, name, rank, ramp_floor::text AS "rampFloor", trim_scale(ramp_factor)::text AS "rampFactor"`;
const TIERS = `SELECT ${TIER_COLUMNS} FROM tier ORDER BY rank, code`;
const SET_RAMP = `UPDATE tier SET ramp_floor = $2, ramp_factor = $3 WHERE code = $1 RETURNING ${TIER_COLUMNS}`;
const COLUMNS = `id, code, name, tier, streams, weight, recipients_per_day::text AS recipients_per_day,
  trim_scale(recipients_per_second)::text AS recipients_per_second, dedicated_ips, coalesce(
    (SELECT price.base_fee_micro FROM plan_price price
      WHERE price.plan_id = plan.id AND price.valid_from <= $1 AND (price.valid_to IS NULL OR price.valid_to > $1)), 0)::text AS base_fee_micro,
  body_retention_days, metadata_retention_days, transactional_in_doubt, marketing_in_doubt, created_at`;
const FIND = `SELECT ${COLUMNS} FROM plan WHERE id = ANY($2::uuid[])`;
// Creation order: the cursor is the id of a row, and uuid v7 grows with time.
const BETWEEN = `SELECT ${COLUMNS} FROM plan WHERE ($2::uuid IS NULL OR id > $2) AND ($3::uuid IS NULL OR id < $3)`;
const PAGE_FORWARDS = `${BETWEEN} ORDER BY id LIMIT $4`;
const PAGE_BACKWARDS = `${BETWEEN} ORDER BY id DESC LIMIT $4`;

@Injectable()
export class PlanRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async tiers(): Promise<Tier[]> {
    return (await this.uow.query<TierRow>(TIERS)).map(toTier);
  }

  /** The tier as it is then; undefined when there is no such tier. */
  async setRamp(tier: string, ramp: TierRamp): Promise<Tier | undefined> {
    const [row] = await this.uow.query<TierRow>(SET_RAMP, [tier, ramp.floor.toString(), ramp.factor]);
    return row && toTier(row);
  }

  async codeExists(code: string): Promise<boolean> {
    return (await this.uow.query('SELECT 1 FROM plan WHERE code = $1', [code])).length > 0;
  }

  /** False when another plan took the code meanwhile. */
  async insert(plan: Plan): Promise<boolean> {
    const rows = await this.uow.query(
      `INSERT INTO plan (id, code, name, tier, streams, weight, recipients_per_day, recipients_per_second, dedicated_ips,
                         body_retention_days, metadata_retention_days, transactional_in_doubt, marketing_in_doubt,
                         created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (code) DO NOTHING RETURNING id`,
      [
        plan.id,
        plan.code,
        plan.name,
        plan.tier,
        plan.streams,
        plan.weight,
        plan.recipientsPerDay?.toString() ?? null,
        plan.recipientsPerSecond,
        plan.dedicatedIps,
        plan.bodyRetentionDays,
        plan.metadataRetentionDays,
        plan.transactionalInDoubt,
        plan.marketingInDoubt,
        plan.createdAt,
      ],
    );
    return rows.length > 0;
  }

  /** @param at when the fee that is told is in force */
  async findByIds(ids: readonly PlanId[], at: Date): Promise<Plan[]> {
    const rows = await this.uow.query<PlanRow>(FIND, [at, ids]);
    return rows.map(toPlan);
  }

  /** In order of creation; cursors are ids. */
  async page(request: PageRequest, at: Date): Promise<Page<Plan>> {
    const rows = await this.uow.query<PlanRow>(isBackwards(request) ? PAGE_BACKWARDS : PAGE_FORWARDS, [
      at,
      request.after ?? null,
      request.before ?? null,
      request.limit + 1,
    ]);
    return toPage(rows.map(toPlan), request);
  }
}

function toTier(row: TierRow): Tier {
  return { ...row, rampFloor: BigInt(row.rampFloor) };
}

function toPlan(row: PlanRow): Plan {
  return {
    id: row.id,
    code: row.code,
    name: row.name,
    tier: row.tier,
    streams: row.streams,
    weight: row.weight,
    recipientsPerDay: row.recipients_per_day === null ? null : BigInt(row.recipients_per_day),
    recipientsPerSecond: row.recipients_per_second,
    dedicatedIps: row.dedicated_ips,
    baseFeeMicro: BigInt(row.base_fee_micro),
    bodyRetentionDays: row.body_retention_days,
    metadataRetentionDays: row.metadata_retention_days,
    transactionalInDoubt: row.transactional_in_doubt,
    marketingInDoubt: row.marketing_in_doubt,
    createdAt: row.created_at,
  };
}
