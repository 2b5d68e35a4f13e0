import { UnitOfWork } from '@libs/database';
import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { DeltaLine, KnownCharge, ReckonedLine, Share } from '../bill/bill-match.policy';
import { usageTypeOf } from '../bill/usage-type.policy';
import { monthOf, type Period } from '../billing-period.policy';
import { IDLE, PLATFORM, type Bearer } from '../cost/allocation.policy';
import type { FleetLine } from '../cost/fleet-line';

/** Who bears a stored line, ready to be written. */
interface ShareRow {
  readonly lineId: string;
  readonly bearer: Bearer;
  readonly weight: bigint;
  readonly quantity: bigint;
  readonly amountMicro: bigint;
}

/** Rows of one statement: parameters stay far below what PostgreSQL takes. */
const PAGE = 10_000;
/** Lines of one statement, each with its tenants. */
const LINES = 100;

/** The fleet's cost as it is stored: lines, and who bears them. */
@Injectable()
export class FleetLineRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Removes our own reckoning of the month, and what the bill said beyond it. */
  async clear(period: string, sources: readonly ('PROVISIONAL' | 'CUR')[]): Promise<void> {
    await this.uow.query(
      `DELETE FROM allocation WHERE fleet_line_id IN (
         SELECT id FROM fleet_line WHERE period = $1 AND source = ANY ($2))`,
      [period, sources],
    );
    await this.uow.query('DELETE FROM fleet_line WHERE period = $1 AND source = ANY ($2)', [period, sources]);
  }

  /** Our own reckoning, as computed. */
  async storeReckoned(period: string, lines: readonly FleetLine[]): Promise<void> {
    for (let from = 0; from < lines.length; from += LINES) {
      const page = lines.slice(from, from + LINES);
      const ids = await this.insertReckoned(period, page, BigInt(from));
      await this.insertShares(
        page.flatMap((line, index) =>
          line.allocations.map((share) => ({
            lineId: ids[index] ?? '',
            bearer: share.bearer,
            weight: share.weight,
            quantity: share.quantity,
            amountMicro: share.costMicro,
          })),
        ),
      );
    }
  }

  /**
   * What the bill says beyond our reckoning: lines of the month itself, or, once another month is final, corrections of it.
   * @param corrects the month that corrections among them are about
   */
  async storeDeltas(
    period: Period,
    deltas: readonly DeltaLine[],
    source: 'CUR' | 'CORRECTION',
    corrects: string,
  ): Promise<void> {
    for (let from = 0; from < deltas.length; from += LINES) {
      const page = deltas.slice(from, from + LINES);
      const ids = await this.insertDeltas(period, page, BigInt(from), { source, corrects });
      await this.insertShares(
        page.flatMap((delta, index) =>
          delta.shares.map((share) => ({ lineId: ids[index] ?? '', quantity: 0n, ...share })),
        ),
      );
    }
  }

  /** Our own reckoning of the month, in the order of its lines. */
  async reckoned(period: string): Promise<ReckonedLine[]> {
    const lines = await this.uow.query<LineRow>(
      `SELECT id::text AS id, no::text AS no, aws_account, region, sending_account_id, lane_id, sku, pricing_plan, unit,
              trunc(quantity)::text AS quantity, cost_micro::text AS cost_micro, method_id, corrects
         FROM fleet_line WHERE period = $1 AND source = 'PROVISIONAL' ORDER BY no`,
      [period],
    );
    const shares = await this.uow.query<StoredShareRow>(
      `SELECT share.fleet_line_id::text AS line_id, share.bearer, share.tenant_id, share.weight::text AS weight,
              share.amount_micro::text AS amount_micro
         FROM allocation share JOIN fleet_line line ON line.id = share.fleet_line_id
        WHERE line.period = $1 AND line.source = 'PROVISIONAL'`,
      [period],
    );
    const byLine = new Map<string, Share[]>();
    for (const share of shares) {
      const own = byLine.get(share.line_id) ?? [];
      own.push({ bearer: bearerOf(share), weight: BigInt(share.weight), amountMicro: BigInt(share.amount_micro) });
      byLine.set(share.line_id, own);
    }
    return lines.map((line) => ({
      id: BigInt(line.id),
      no: BigInt(line.no),
      awsAccount: line.aws_account,
      region: line.region,
      sendingAccountId: line.sending_account_id,
      laneId: line.lane_id,
      sku: line.sku,
      pricingPlan: line.pricing_plan,
      unit: line.unit,
      quantity: BigInt(line.quantity),
      costMicro: BigInt(line.cost_micro),
      method: line.method_id,
      corrects: line.corrects,
      shares: byLine.get(line.id) ?? [],
    }));
  }

  /**
   * What is known of a month's own bill by kind of charge: its lines, later charges of it, and its late usage where that was
   * booked in a month that is closed; in an open one it makes way for the bill.
   */
  async known(period: string): Promise<KnownCharge[]> {
    const rows = await this.uow.query<{
      aws_account: string;
      region: string;
      sku: string;
      usage_type: string;
      charge_category: KnownCharge['category'];
      cost_micro: string;
    }>(
      `SELECT aws_account, region, sku, usage_type, charge_category, sum(cost_micro)::text AS cost_micro
         FROM fleet_line JOIN billing_period booked USING (period)
        WHERE (period = $1 AND charge_class IS NULL)
           OR (corrects = $1 AND (source = 'CORRECTION' OR (source = 'PROVISIONAL' AND booked.is_closed)))
        GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`,
      [period],
    );
    return rows.map((row) => ({
      awsAccount: row.aws_account,
      region: row.region,
      sku: row.sku,
      usageType: row.usage_type,
      category: row.charge_category,
      costMicro: BigInt(row.cost_micro),
    }));
  }

  private async insertReckoned(period: string, lines: readonly FleetLine[], before: bigint): Promise<string[]> {
    const rows = await this.uow.query<{ id: string; no: string }>(
      `INSERT INTO fleet_line (period, no, source, aws_account, region, sending_account_id, lane_id, sku, usage_type,
                               pricing_plan, span_from, span_to, unit, quantity, cost_micro, rate_ids, rate_source,
                               method_id, charge_category, charge_class, corrects)
       SELECT $1, line.no, 'PROVISIONAL', aws.account_id, account.region, account.id, line.lane_id, line.sku,
              line.usage_type, line.pricing_plan, line.span_from, line.span_to, line.unit,
              line.quantity, line.cost_micro, line.rate_ids, line.rate_source, line.method_id, line.charge_category,
              CASE WHEN line.corrects IS NOT NULL THEN 'Correction' END, line.corrects
         FROM jsonb_to_recordset($2::jsonb) AS line (no int, sending_account_id uuid, lane_id uuid, sku text, usage_type text,
                pricing_plan text, span_from timestamptz, span_to timestamptz, unit text, quantity numeric, cost_micro bigint,
                rate_ids bigint[], rate_source text, method_id text, charge_category text, corrects text)
         JOIN sending_account account ON account.id = line.sending_account_id
         JOIN aws_account aws ON aws.id = account.aws_account_id
       RETURNING id::text AS id, no::text AS no`,
      [
        period,
        JSON.stringify(
          lines.map((line, index) => ({
            no: (before + BigInt(index) + 1n).toString(),
            sending_account_id: line.sendingAccountId,
            lane_id: line.laneId,
            sku: line.sku,
            usage_type: usageTypeOf(line.sku),
            pricing_plan: line.pricingPlan,
            span_from: line.span.from,
            span_to: line.span.to,
            unit: line.unit,
            quantity: line.quantity.toString(),
            cost_micro: line.costMicro.toString(),
            rate_ids: line.rateIds.map(String),
            rate_source: line.source,
            method_id: line.method,
            charge_category: line.unit === 'month' ? 'Purchase' : 'Usage',
            corrects: monthOf(line.span.from) === period ? null : monthOf(line.span.from),
          })),
        ),
      ],
    );
    return inOrder(rows, lines.length);
  }

  private async insertDeltas(
    { name, start, end }: Period,
    deltas: readonly DeltaLine[],
    before: bigint,
    { source, corrects }: { source: 'CUR' | 'CORRECTION'; corrects: string },
  ): Promise<string[]> {
    const rows = await this.uow.query<{ id: string; no: string }>(
      `INSERT INTO fleet_line (period, no, source, delta_of, payer, aws_account, region, sending_account_id, lane_id, sku,
                               usage_type, pricing_plan, span_from, span_to, unit, quantity, cost_micro, rate_ids,
                               rate_source, method_id, charge_category, charge_class, corrects, reason)
       SELECT $1, line.no, $5, line.delta_of, line.payer,
              line.aws_account, line.region, account.id, line.lane_id, line.sku, line.usage_type,
              coalesce(line.pricing_plan, account.pricing_plan, 'NONE'), $3, $4, line.unit, line.quantity, line.cost_micro,
              '{}', 'AWS''s bill', line.method_id, line.charge_category,
              CASE WHEN line.corrects IS NOT NULL THEN 'Correction' END, line.corrects, line.reason
         FROM jsonb_to_recordset($2::jsonb) AS line (no int, delta_of bigint, payer text, aws_account text, region text,
                lane_id uuid, sku text, usage_type text, pricing_plan text, unit text, quantity numeric, cost_micro bigint,
                method_id text, charge_category text, corrects text, reason text)
         LEFT JOIN aws_account aws ON aws.account_id = line.aws_account
         LEFT JOIN sending_account account ON account.aws_account_id = aws.id AND account.region = line.region
       RETURNING id::text AS id, no::text AS no`,
      [
        name,
        JSON.stringify(
          deltas.map((delta, index) => ({
            no: (before + BigInt(index) + 1n).toString(),
            delta_of: delta.of?.id.toString() ?? null,
            payer: delta.payer,
            aws_account: delta.awsAccount,
            region: delta.region,
            lane_id: delta.of?.laneId ?? null,
            sku: delta.sku,
            usage_type: delta.usageType,
            pricing_plan: delta.of?.pricingPlan ?? null,
            unit: delta.unit,
            quantity: delta.quantity.toString(),
            cost_micro: delta.costMicro.toString(),
            method_id: delta.method,
            charge_category: delta.category,
            corrects: delta.isCorrection ? corrects : null,
            reason: delta.reason,
          })),
        ),
        start,
        end,
        source,
      ],
    );
    return inOrder(rows, deltas.length);
  }

  private async insertShares(shares: readonly ShareRow[]): Promise<void> {
    for (let from = 0; from < shares.length; from += PAGE) {
      const page = shares.slice(from, from + PAGE);
      await this.uow.query(
        `INSERT INTO allocation (fleet_line_id, bearer, tenant_id, weight, quantity, amount_micro)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::numeric[], $5::numeric[], $6::bigint[])`,
        [
          page.map((share) => share.lineId),
          page.map((share) => kindOf(share.bearer)),
          page.map((share) => (kindOf(share.bearer) === 'TENANT' ? share.bearer : null)),
          page.map((share) => share.weight.toString()),
          page.map((share) => share.quantity.toString()),
          page.map((share) => share.amountMicro.toString()),
        ],
      );
    }
  }
}

interface LineRow {
  id: string;
  no: string;
  aws_account: string;
  region: string;
  sending_account_id: SendingAccountId | null;
  lane_id: LaneId | null;
  sku: string;
  pricing_plan: string;
  unit: string;
  quantity: string;
  cost_micro: string;
  method_id: string;
  corrects: string | null;
}

interface StoredShareRow {
  line_id: string;
  bearer: 'TENANT' | 'IDLE' | 'PLATFORM';
  tenant_id: TenantId | null;
  weight: string;
  amount_micro: string;
}

function kindOf(bearer: Bearer): 'TENANT' | 'IDLE' | 'PLATFORM' {
  return bearer === IDLE ? 'IDLE' : bearer === PLATFORM ? 'PLATFORM' : 'TENANT';
}

function bearerOf(row: StoredShareRow): Bearer {
  return row.tenant_id ?? (row.bearer === 'IDLE' ? IDLE : PLATFORM);
}

/** Ids in the order of the numbers; a line whose account is unknown would be missing. */
function inOrder(rows: readonly { id: string; no: string }[], count: unknown): string[] {
  if (rows.length !== count) throw new Error('a line of cost names a sending account that does not exist');
  return [...rows].sort((a, b) => (BigInt(a.no) < BigInt(b.no) ? -1 : 1)).map((row) => row.id);
}
