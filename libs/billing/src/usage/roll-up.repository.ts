import { UnitOfWork } from '@libs/database';
import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Span } from '../billing-period.policy';
import { PLATFORM, type Bearer } from '../cost/allocation.policy';
import { PREFER_SCANS, SCAN_SECONDS } from '../scans.sql';
import { COUNTED_USAGE } from './day-usage.sql';
import type { PoolHour } from './pool-use.policy';
import { spanOfDay, type Day, type RolledDay } from './roll-up.policy';
import { COUNTED, type CountedSku, type UsageRow } from './usage';

export interface RollUp extends RolledDay {
  /** 0 = the first count of the day; each later count that found a difference has the next one. */
  readonly revision: bigint;
  readonly attempts: bigint;
  readonly recipients: bigint;
  /** sha256 of the day's rows as they were last counted. */
  readonly srcHash: string;
}

interface RollUpRow {
  day: string;
  revision: string;
  rolled_at: Date;
  attempts: string;
  recipients: string;
  in_doubt: string;
  src_hash: string;
}

interface CountedRow {
  hour: Date;
  whole: boolean;
  tenant_id: TenantId | null;
  sending_account_id: SendingAccountId;
  lane_id: LaneId | null;
  sku: CountedSku;
  qty: string;
}

interface PoolHourRow {
  lane_id: LaneId;
  at: Date;
  ms: string;
  /** Recipients by tenant; those of nobody under the empty name. Null = none. */
  recipients: Record<string, string> | null;
}

interface BookedRow extends CountedRow {
  late: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const KEY = 'tenant_id, sending_account_id, lane_id, sku, hour';

/** $1, $2 the day; $3 now, $4 the day's date, $5 the month it is booked in. What is stored of the day becomes what was counted now. */
const ROLL_UP = `
  WITH ${COUNTED_USAGE}, fresh AS MATERIALIZED (
    SELECT tenant_id, sending_account_id, lane_id, sku, (CASE WHEN whole THEN -1 ELSE extract(hour FROM hour AT TIME ZONE 'UTC') END)::smallint AS hour,
           qty
      FROM counted WHERE qty <> 0
  ), difference AS (
    SELECT ${KEY}, sum(qty)::bigint AS qty
      FROM (SELECT ${KEY}, qty FROM fresh
            UNION ALL SELECT ${KEY}, -qty FROM usage_rollup WHERE day = $4::date) AS both_sides
     GROUP BY ${KEY} HAVING sum(qty) <> 0
  ), before AS (
    SELECT revision FROM usage_day WHERE day = $4::date
  ), this AS (
    SELECT CASE WHEN EXISTS (SELECT FROM before) AND EXISTS (SELECT FROM difference) THEN (SELECT revision + 1 FROM before)
                ELSE coalesce((SELECT revision FROM before), 0) END AS revision
  ), booked AS (
    INSERT INTO usage_rollup (day, revision, ${KEY}, qty, booked_at, period)
    SELECT $4::date, this.revision, ${KEY}, qty, $3, $5 FROM difference, this
  )
  INSERT INTO usage_day (day, revision, rolled_at, attempts, recipients, in_doubt, src_hash)
  SELECT $4::date, this.revision, $3, a.attempts, a.recipients, a.in_doubt, h.src_hash
    FROM this,
         (SELECT coalesce(sum(attempts), 0)::bigint AS attempts, coalesce(sum(recipients), 0)::bigint AS recipients,
                 coalesce(sum(in_doubt), 0)::bigint AS in_doubt FROM hourly) AS a,
         (SELECT sha256(convert_to(coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE "C"), ''), 'UTF8')) AS src_hash
            FROM (SELECT concat_ws('|', coalesce(tenant_id::text, '-'), sending_account_id, coalesce(lane_id::text, '-'), sku, hour, qty) AS line
                    FROM fresh) AS lines) AS h
  ON CONFLICT (day) DO UPDATE
    SET revision = excluded.revision, rolled_at = excluded.rolled_at, attempts = excluded.attempts, recipients = excluded.recipients,
        in_doubt = excluded.in_doubt, src_hash = excluded.src_hash`;

const COUNT = `WITH ${COUNTED_USAGE}
  SELECT hour, whole, tenant_id, sending_account_id, lane_id, sku, qty::text AS qty FROM counted WHERE qty <> 0`;

/** $1 the month, $2 the beginnings of its parts; what lies before the first one is late. Lanes matter for IPs alone. */
const BOOKED = `
  WITH billed AS MATERIALIZED (
    SELECT DISTINCT report.period, account.id AS sending_account_id
      FROM bill_import report JOIN bill_line line ON line.import_id = report.id
      JOIN aws_account aws ON aws.account_id = line.aws_account JOIN sending_account account ON account.aws_account_id = aws.id
     WHERE report.superseded_at IS NULL AND report.period < $1)
  SELECT part = 0 AS late, CASE WHEN part = 0 THEN at ELSE ($2::timestamptz[])[part] END AS hour, part = 0 AND whole AS whole, tenant_id,
         sending_account_id, CASE WHEN sku = '${COUNTED.dedicatedIp}' THEN lane_id END AS lane_id, sku, sum(qty)::text AS qty
    FROM (SELECT *, width_bucket(at, $2::timestamptz[]) AS part
            FROM (SELECT *, (day + make_interval(hours => greatest(hour, 0))) AT TIME ZONE 'UTC' AS at, hour = -1 AS whole
                    FROM usage_rollup
                   WHERE period = $1 AND sku <> '${COUNTED.poolRecipient}'
                     AND (to_char(day, 'YYYY-MM'), sending_account_id) NOT IN (SELECT period, sending_account_id FROM billed)) AS u) AS p
   GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(qty) <> 0`;

/** $1 the day, $2 the month. A row an hour: a row for each of its tenants, hour by hour, would be a million in a month. */
const BOOKED_POOL_HOURS = `
  SELECT lane_id, (($1::date + make_interval(hours => hour)) AT TIME ZONE 'UTC') AS at,
         coalesce(sum(qty) FILTER (WHERE sku = '${COUNTED.dedicatedIp}'), 0)::text AS ms,
         json_object_agg(coalesce(tenant_id::text, ''), qty::text) FILTER (WHERE sku = '${COUNTED.poolRecipient}') AS recipients
    FROM (SELECT lane_id, hour, sku, tenant_id, sum(qty) AS qty FROM usage_rollup
           WHERE day = $1::date AND hour >= 0 AND lane_id IS NOT NULL
             AND (sku = '${COUNTED.poolRecipient}' OR (sku = '${COUNTED.dedicatedIp}' AND tenant_id IS NULL AND period = $2))
           GROUP BY lane_id, hour, sku, tenant_id HAVING sum(qty) <> 0) AS used
   GROUP BY lane_id, hour`;

const ROLL_UPS = `
  SELECT day::text AS day, revision::text AS revision, rolled_at, attempts::text AS attempts, recipients::text AS recipients,
         in_doubt::text AS in_doubt, encode(src_hash, 'hex') AS src_hash
    FROM usage_day`;

const ROLLED_UP = `${ROLL_UPS} WHERE day = $1::date`;
const ALL_ROLLED_UP = `${ROLL_UPS} WHERE ($1::date IS NULL OR day >= $1::date) AND ($2::date IS NULL OR day < $2::date) ORDER BY day`;

@Injectable()
export class RollUpRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** The rest of this unit reads days as a whole. */
  async allowScans(): Promise<void> {
    await this.uow.allowStatements(SCAN_SECONDS);
    await this.uow.query(PREFER_SCANS);
  }

  /** One process counts a day at a time. */
  async lock(day: Day): Promise<void> {
    await this.uow.query(`SELECT pg_advisory_xact_lock(hashtextextended('usage ' || $1, 0))`, [day]);
  }

  /** Counts the day and books what differs from what is stored of it; the whole of it the first time. */
  async rollUp(day: Day, now: Date, period: string): Promise<RollUp> {
    const { from, to } = spanOfDay(day);
    await this.uow.query(ROLL_UP, [from, to, now, day, period]);
    const found = await this.find(day);
    if (!found) throw new Error('a roll-up left no day');
    return found;
  }

  async find(day: Day): Promise<RollUp | undefined> {
    const [row] = await this.uow.query<RollUpRow>(ROLLED_UP, [day]);
    return row && toRollUp(row);
  }

  /** In order, all of them or those of a span. */
  async all(span?: Span): Promise<RollUp[]> {
    const rows = await this.uow.query<RollUpRow>(ALL_ROLLED_UP, [span?.from ?? null, span?.to ?? null]);
    return rows.map(toRollUp);
  }

  /**
   * What is booked into a month, without the hours of pools: all revisions together, and all of a part of the month. What came to
   * light of an earlier month is told by the day or the hour, and left out where AWS's bill of that month is there: it has it,
   * whoever else it was thought to be.
   * @param parts the month in pieces, the first one first
   */
  async booked(period: string, parts: readonly Span[]): Promise<UsageRow[]> {
    const rows = await this.uow.query<BookedRow>(BOOKED, [period, parts.map((part) => part.from)]);
    const byBeginning = new Map(parts.map((part) => [part.from.getTime(), part]));
    return toUsage(rows, ({ late, hour }) => (late ? undefined : byBeginning.get(hour.getTime())));
  }

  /** The time of shared pools in each hour of a day, and who used it, as far as that is booked into the month. */
  async bookedPoolHours(day: Day, period: string): Promise<PoolHour[]> {
    const rows = await this.uow.query<PoolHourRow>(BOOKED_POOL_HOURS, [day, period]);
    return rows.map((row) => ({
      laneId: row.lane_id,
      at: row.at,
      ms: BigInt(row.ms),
      recipients: new Map(
        Object.entries(row.recipients ?? {}).map(([name, quantity]) => [nameOf(name), BigInt(quantity)]),
      ),
    }));
  }

  /** What the facts say was used in whole days, of IPs until now: the same rows that a roll-up books. */
  async count(span: Span, now: Date): Promise<UsageRow[]> {
    return toUsage(await this.uow.query<CountedRow>(COUNT, [span.from, span.to, now]));
  }

  /** Whether events that came before that moment are still to be applied. */
  async hasOpenEvents(before: Date): Promise<boolean> {
    const rows = await this.uow.query(`SELECT FROM notification WHERE state = 'STORED' AND received_at < $1 LIMIT 1`, [
      before,
    ]);
    return rows.length > 0;
  }

  /** When the first account that costs money joined; before it there was nothing to count. */
  async beginning(): Promise<Date | undefined> {
    const [row] = await this.uow.query<{ at: Date | null }>(
      `SELECT min(created_at) AS at FROM sending_account WHERE mode = 'LIVE'`,
    );
    return row?.at ?? undefined;
  }

  /** Attempts of messages that were accepted before this day are no longer there; undefined = all still are. */
  async attemptsDroppedBefore(): Promise<Day | undefined> {
    const [row] = await this.uow.query<{ before: string }>(
      `SELECT before::text AS before FROM dropped_days WHERE parent = 'attempt'`,
    );
    return row?.before;
  }

  /** Months that are closed for ever. */
  async closedPeriods(): Promise<Set<string>> {
    const rows = await this.uow.query<{ period: string }>('SELECT period FROM billing_period WHERE is_closed');
    return new Set(rows.map((row) => row.period));
  }

  /** Whoever asks next which months are closed tells `awaitBegun` that it may still book something in the others. */
  async begin(): Promise<void> {
    await this.uow.query(`SELECT pg_advisory_xact_lock_shared(hashtextextended('usage booking', 0))`);
  }

  /** Returns when every unit that has begun is over. */
  async awaitBegun(): Promise<void> {
    await this.uow.query(`SELECT pg_advisory_xact_lock(hashtextextended('usage booking', 0))`);
  }
}

function toRollUp(row: RollUpRow): RollUp {
  return {
    day: row.day,
    revision: BigInt(row.revision),
    rolledAt: row.rolled_at,
    attempts: BigInt(row.attempts),
    recipients: BigInt(row.recipients),
    inDoubt: BigInt(row.in_doubt),
    srcHash: row.src_hash,
  };
}

function nameOf(tenant: string): Bearer {
  return tenant === '' ? PLATFORM : (tenant as TenantId);
}

/** @param spanOf the time that a row is about; its hour or its day unless told */
function toUsage<Row extends CountedRow>(
  rows: readonly Row[],
  spanOf: (row: Row) => Span | undefined = () => undefined,
): UsageRow[] {
  // Tens of thousands of rows share some dozens of spans.
  const shared = new Map<string, Span>();
  const ownSpan = ({ hour, whole }: CountedRow) => {
    const name = `${whole ? 'day' : 'hour'} ${hour.getTime()}`;
    const span = shared.get(name) ?? { from: hour, to: new Date(hour.getTime() + (whole ? DAY_MS : HOUR_MS)) };
    shared.set(name, span);
    return span;
  };
  return rows.map((row) => ({
    span: spanOf(row) ?? ownSpan(row),
    tenantId: row.tenant_id,
    sendingAccountId: row.sending_account_id,
    laneId: row.lane_id,
    sku: row.sku,
    quantity: BigInt(row.qty),
  }));
}
