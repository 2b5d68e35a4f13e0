import { UnitOfWork } from '@libs/database';
import type { TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Period } from '../billing-period.policy';
import { TAKEN, TAKEN_AT } from '../usage/day-usage.sql';
import type { Day } from '../usage/roll-up.policy';
import { LiveUsageRepository } from './live-usage.repository';
import type { DayUsage } from './month-so-far.policy';

/**
 * So long ago an attempt must have begun to be counted for good: by then its row is there, however long the transaction that
 * wrote it took, and it seldom waits for its outcome still.
 */
const SETTLING_MS = 300_000;

/** At most so much is read by one statement. */
const STEP_MS = 6 * 3_600_000;

/**
 * $1 the tenants, $2 the first day not counted. Locks their cursors; those that began on another day begin anew. Open attempts that
 * began before that are kept as long as their messages may have others (roll-up.policy.ts).
 */
const BEGIN = `
  WITH anew AS (
    INSERT INTO spend_cursor AS c (tenant_id, base, counted_to)
    SELECT w.tenant_id, $2::date, $2::date::timestamp AT TIME ZONE 'UTC' - interval '1 hour'
      FROM unnest($1::uuid[]) AS w (tenant_id) ORDER BY 1
    ON CONFLICT (tenant_id) DO UPDATE SET base = excluded.base, counted_to = excluded.counted_to WHERE c.base <> excluded.base
    RETURNING tenant_id
  ), counted AS (
    DELETE FROM spend_usage u USING anew WHERE u.tenant_id = anew.tenant_id
  )
  DELETE FROM spend_open o USING anew
   WHERE o.tenant_id = anew.tenant_id
     AND (o.began_at >= $2::date::timestamp AT TIME ZONE 'UTC' - interval '1 hour'
       OR o.began_at < $2::date::timestamp AT TIME ZONE 'UTC' - interval '9 days')`;

const EARLIEST = 'SELECT min(counted_to) AS at FROM spend_cursor WHERE tenant_id = ANY ($1::uuid[])';

/** A tenant bears the first accepted attempt of a message, as in the count of a day (day-usage.sql.ts). */
const ATTEMPT = `a.tenant_id, a.message_id, a.attempt_no, a.n_rcpt, a.created_at, (${TAKEN_AT} AT TIME ZONE 'UTC')::date AS day`;

/**
 * $1 the tenants, whose cursors are locked, $2 until when: takes in what began since the cursor, and what turned out to be taken.
 * Of each message that is about, the first accepted attempt is counted, and the one that was the first before is not any more.
 */
const ADVANCE = `
  WITH watched AS (
    SELECT tenant_id, counted_to FROM spend_cursor WHERE tenant_id = ANY ($1::uuid[])
  ), began AS MATERIALIZED (
    SELECT a.*, w.counted_to FROM watched w
     CROSS JOIN LATERAL (
       SELECT ${ATTEMPT}, ${TAKEN} AS taken FROM attempt a
         JOIN sending_account s ON s.id = a.sending_account_id AND s.mode = 'LIVE'
        WHERE a.tenant_id = w.tenant_id AND a.created_at >= w.counted_to AND a.created_at < $2 AND a.mode = 'LIVE') a
  ), turned AS (
    DELETE FROM spend_open o USING watched w, attempt a
     WHERE o.tenant_id = w.tenant_id
       AND a.tenant_id = o.tenant_id AND a.message_id = o.message_id AND a.attempt_no = o.attempt_no AND ${TAKEN}
    RETURNING ${ATTEMPT}, w.counted_to
  ), waiting AS (
    INSERT INTO spend_open (tenant_id, message_id, attempt_no, began_at)
    SELECT tenant_id, message_id, attempt_no, created_at FROM began WHERE NOT taken
    ON CONFLICT DO NOTHING
  ), news AS (
    SELECT DISTINCT ON (tenant_id, message_id) *
      FROM (SELECT tenant_id, message_id, attempt_no, n_rcpt, day, counted_to, attempt_no > 1 AS has_others FROM began WHERE taken
            UNION ALL SELECT tenant_id, message_id, attempt_no, n_rcpt, day, counted_to, true FROM turned) AS both_kinds
     ORDER BY tenant_id, message_id, attempt_no
  ), compared AS (
    SELECT n.tenant_id, n.day, n.n_rcpt, n.attempt_no, f.attempt_no AS first_no, f.day AS first_day
      FROM news n
      LEFT JOIN LATERAL (
        SELECT ${ATTEMPT} FROM attempt a
         WHERE n.has_others AND a.tenant_id = n.tenant_id AND a.message_id = n.message_id AND a.created_at < n.counted_to AND ${TAKEN}
           AND NOT EXISTS (SELECT FROM spend_open o
                            WHERE o.tenant_id = a.tenant_id AND o.message_id = a.message_id AND o.attempt_no = a.attempt_no)
         ORDER BY a.attempt_no LIMIT 1) f ON true
  ), counted AS (
    INSERT INTO spend_usage AS u (tenant_id, day, recipients)
    SELECT tenant_id, day, sum(recipients)
      FROM (SELECT tenant_id, day, n_rcpt::bigint AS recipients FROM compared WHERE first_no IS NULL OR attempt_no < first_no
            UNION ALL SELECT tenant_id, first_day, -n_rcpt FROM compared WHERE attempt_no < first_no) AS differences
     GROUP BY tenant_id, day HAVING sum(recipients) <> 0 ORDER BY tenant_id, day
    ON CONFLICT (tenant_id, day) DO UPDATE SET recipients = u.recipients + excluded.recipients
  )
  UPDATE spend_cursor c SET counted_to = $2 FROM watched w WHERE c.tenant_id = w.tenant_id AND c.counted_to < $2`;

/** $1 the tenants, $2 the days that matter, $3 now: what is counted, and what began since. */
const USED = `
  SELECT tenant_id, day::text AS day, sum(recipients)::text AS recipients
    FROM (SELECT tenant_id, day, recipients FROM spend_usage WHERE tenant_id = ANY ($1::uuid[])
          UNION ALL
          SELECT a.tenant_id, a.day, a.n_rcpt
            FROM spend_cursor c
           CROSS JOIN LATERAL (
             SELECT ${ATTEMPT} FROM attempt a JOIN sending_account s ON s.id = a.sending_account_id AND s.mode = 'LIVE'
              WHERE a.tenant_id = c.tenant_id AND a.mode = 'LIVE' AND ${TAKEN}
                AND a.created_at >= c.counted_to AND a.created_at < $3::timestamptz + interval '1 hour'
                AND NOT (a.attempt_no > 1 AND EXISTS (
                  SELECT FROM attempt b
                   WHERE b.tenant_id = a.tenant_id AND b.message_id = a.message_id AND b.attempt_no < a.attempt_no
                     AND (b.state = 'SENT' OR b.send_event_at IS NOT NULL)))) a
           WHERE c.tenant_id = ANY ($1::uuid[])) AS both_parts
   WHERE day = ANY ($2::date[])
   GROUP BY 1, 2`;

/**
 * What watched tenants used on days that no roll-up has counted yet. Counted as it comes: a look reads what began since the last
 * one, what of the open attempts has turned out, and nothing else. When a roll-up takes over another day, all of it is counted
 * anew from the attempts. What began before a tenant was watched, and turns out late, is known from the next day on. Any number of processes may do it at once. Runs in a unit of its caller.
 */
@Injectable()
export class WatchedUsageRepository {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly live: LiveUsageRepository,
  ) {}

  /** By tenant; of the month's days up to now. */
  async ofTenants(month: Period, tenants: readonly TenantId[], now: Date): Promise<Map<TenantId, DayUsage[]>> {
    const days = await this.live.notCounted(month, now);
    const [first] = days;
    if (first === undefined || tenants.length === 0) return new Map();
    await this.uow.query(BEGIN, [tenants, first]);
    await this.advance(tenants, new Date(now.getTime() - SETTLING_MS));
    const rows = await this.uow.query<{ tenant_id: TenantId; day: Day; recipients: string }>(USED, [
      tenants,
      days,
      now,
    ]);
    const used = await this.live.leased(tenants, days, now);
    for (const { tenant_id: tenant, day, recipients } of rows) {
      used.set(tenant, [...(used.get(tenant) ?? []), { day, recipients: BigInt(recipients), ipMs: 0n }]);
    }
    return used;
  }

  private async advance(tenants: readonly TenantId[], until: Date): Promise<void> {
    const [row] = await this.uow.query<{ at: Date }>(EARLIEST, [tenants]);
    let to = row?.at ?? until;
    do {
      const next = new Date(to.getTime() + STEP_MS);
      to = next < until ? next : until;
      await this.uow.query(ADVANCE, [tenants, to]);
    } while (to < until);
  }
}
