import { UnitOfWork } from '@libs/database';
import type { TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Period } from '../billing-period.policy';
import { TAKEN, TAKEN_AT } from '../usage/day-usage.sql';
import { dayOf, spanOfDay, type Day } from '../usage/roll-up.policy';
import type { DayUsage } from './month-so-far.policy';

const NOT_COUNTED = `
  SELECT d.day::date::text AS day FROM generate_series($1::timestamp, $2::timestamp, interval '1 day') AS d (day)
   WHERE NOT EXISTS (SELECT FROM usage_day c WHERE c.day = d.day::date) ORDER BY 1`;

// The same rules as a roll-up's (day-usage.sql.ts), for the tenants named alone. $2 to $3 the days, $4 each of them.
const RECIPIENTS = `
  SELECT k.tenant_id, u.day::text AS day, sum(u.n_rcpt)::text AS quantity
    FROM unnest($1::uuid[]) AS k (tenant_id)
   CROSS JOIN LATERAL (
     SELECT (${TAKEN_AT} AT TIME ZONE 'UTC')::date AS day, a.n_rcpt
       FROM attempt a JOIN sending_account s ON s.id = a.sending_account_id AND s.mode = 'LIVE'
      WHERE a.tenant_id = k.tenant_id AND a.mode = 'LIVE' AND ${TAKEN}
        AND a.created_at >= $2::timestamptz - interval '1 hour' AND a.created_at < $3::timestamptz + interval '1 hour'
        AND NOT (a.attempt_no > 1 AND EXISTS (
          SELECT FROM attempt b
           WHERE b.tenant_id = a.tenant_id AND b.message_id = a.message_id AND b.attempt_no < a.attempt_no
             AND (b.state = 'SENT' OR b.send_event_at IS NOT NULL)))) u
   WHERE u.day = ANY ($4::date[])
   GROUP BY 1, 2`;

// $2 the days, $3 now.
const LEASED = `
  SELECT i.owner_tenant_id AS tenant_id, d.day::text AS day,
         sum(trunc(extract(epoch FROM least(i.leased_to, d.ends, $3) - greatest(i.leased_from, d.begins)) * 1000))::bigint::text AS quantity
    FROM ip_lease i
    JOIN sending_account s ON s.id = i.sending_account_id AND s.mode = 'LIVE'
    JOIN (SELECT day, day::timestamp AT TIME ZONE 'UTC' AS begins, (day + 1)::timestamp AT TIME ZONE 'UTC' AS ends
            FROM unnest($2::date[]) AS w (day)) d
      ON i.leased_from < least(d.ends, $3) AND (i.leased_to IS NULL OR i.leased_to > d.begins)
   WHERE i.owner_tenant_id = ANY ($1::uuid[])
   GROUP BY 1, 2`;

interface LiveRow {
  tenant_id: TenantId;
  day: Day;
  quantity: string;
}

/** What tenants used on days that no roll-up has counted yet. Runs in a unit of its caller. */
@Injectable()
export class LiveUsageRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** By tenant; of the month's days up to now. */
  async ofTenants(month: Period, tenants: readonly TenantId[], now: Date): Promise<Map<TenantId, DayUsage[]>> {
    const days = await this.notCounted(month, now);
    const [first, final] = [days.at(0), days.at(-1)];
    if (first === undefined || final === undefined || tenants.length === 0) return new Map();
    const span = [spanOfDay(first).from, spanOfDay(final).to];
    const recipients = await this.uow.query<LiveRow>(RECIPIENTS, [tenants, ...span, days]);
    const used = await this.leased(tenants, days, now);
    for (const { tenant_id: tenant, day, quantity } of recipients) {
      used.set(tenant, [...(used.get(tenant) ?? []), { day, recipients: BigInt(quantity), ipMs: 0n }]);
    }
    return used;
  }

  /** The month's days up to now that no roll-up has counted, oldest first. */
  async notCounted(month: Period, now: Date): Promise<Day[]> {
    const last = new Date((now < month.end ? now : month.end).getTime() - 1);
    const rows = await this.uow.query<{ day: Day }>(NOT_COUNTED, [dayOf(month.start), dayOf(last)]);
    return rows.map(({ day }) => day);
  }

  /** The time of the tenants' own IPs on these days, until now. */
  async leased(tenants: readonly TenantId[], days: readonly Day[], now: Date): Promise<Map<TenantId, DayUsage[]>> {
    const leased = new Map<TenantId, DayUsage[]>();
    for (const row of await this.uow.query<LiveRow>(LEASED, [tenants, days, now])) {
      const used = { day: row.day, recipients: 0n, ipMs: BigInt(row.quantity) };
      leased.set(row.tenant_id, [...(leased.get(row.tenant_id) ?? []), used]);
    }
    return leased;
  }

  /** IPs of its own that the tenant has now. */
  async ipsOf(tenant: TenantId): Promise<bigint> {
    const [row] = await this.uow.query<{ ips: string }>(
      `SELECT count(*)::text AS ips FROM ip_lease i JOIN sending_account s ON s.id = i.sending_account_id AND s.mode = 'LIVE'
        WHERE i.owner_tenant_id = $1 AND i.leased_to IS NULL`,
      [tenant],
    );
    return BigInt(row?.ips ?? '0');
  }
}
