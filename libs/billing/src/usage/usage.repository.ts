import { UnitOfWork } from '@libs/database';
import type { SendingAccountId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Span } from '../billing-period.policy';
import type { BilledAccount } from '../cost/fleet-facts';
import type { PlanInForce, PricingPlan } from '../rates/rate-card.policy';
import { TAKEN, TAKEN_AT } from './day-usage.sql';
import { dayOf, type Day } from './roll-up.policy';
import { COUNTED } from './usage';

/** $1 the tenant; the spans lie in $2 to $3. The first accepted attempt of each message, as in the count of a day. */
const SINCE_COUNTED = `
  SELECT t.sending_account_id, date_trunc('hour', t.at, 'UTC') AS hour, sum(t.n_rcpt)::text AS recipients
    FROM unnest($2::timestamptz[], $3::timestamptz[]) AS w (from_at, to_at)
   CROSS JOIN LATERAL (
     SELECT a.sending_account_id, a.n_rcpt, ${TAKEN_AT} AS at FROM attempt a
      WHERE a.tenant_id = $1 AND a.created_at >= w.from_at - interval '1 hour' AND a.created_at < w.to_at + interval '1 hour'
        AND a.mode = 'LIVE' AND ${TAKEN}
        AND NOT (a.attempt_no > 1 AND EXISTS (
          SELECT FROM attempt b
           WHERE b.tenant_id = a.tenant_id AND b.message_id = a.message_id AND b.attempt_no < a.attempt_no
             AND (b.state = 'SENT' OR b.send_event_at IS NOT NULL)))) AS t
    JOIN sending_account s ON s.id = t.sending_account_id AND s.mode = 'LIVE'
   WHERE t.at >= w.from_at AND t.at < w.to_at
   GROUP BY 1, 2`;

const COUNTED_DAYS = `
  SELECT sending_account_id, (day + make_interval(hours => greatest(hour, 0))) AT TIME ZONE 'UTC' AS hour, sum(qty)::text AS recipients
    FROM usage_rollup WHERE tenant_id = $1 AND day = ANY($2::date[]) AND sku = '${COUNTED.recipient}'
   GROUP BY sending_account_id, day, hour HAVING sum(qty) <> 0`;

const PLANS = `
  SELECT sending_account_id, jsonb_agg(jsonb_build_object('plan', pricing_plan, 'from', valid_from) ORDER BY valid_from) AS plans
    FROM account_plan WHERE sending_account_id = ANY($1::uuid[]) GROUP BY 1`;

/** Recipients of one tenant through one account, from that moment on for an hour or a day. */
export interface TenantRecipients {
  readonly sendingAccountId: SendingAccountId;
  readonly from: Date;
  readonly recipients: bigint;
}

interface RecipientsRow {
  sending_account_id: SendingAccountId;
  hour: Date;
  recipients: string;
}

interface PlansRow {
  sending_account_id: SendingAccountId;
  plans: { plan: PricingPlan; from: string }[];
}

/** What one tenant used, and which accounts are billed. */
@Injectable()
export class UsageRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Those of the days from that one until before the other that are counted. */
  async countedDays({ from, to }: Span): Promise<Set<Day>> {
    const rows = await this.uow.query<{ day: string }>(
      'SELECT day::text AS day FROM usage_day WHERE day >= $1::date AND day < $2::date',
      [dayOf(from), dayOf(to)],
    );
    return new Set(rows.map((row) => row.day));
  }

  /** What is booked of the tenant on these days. */
  async ofCounted(tenant: TenantId, days: readonly Day[]): Promise<TenantRecipients[]> {
    if (days.length === 0) return [];
    return (await this.uow.query<RecipientsRow>(COUNTED_DAYS, [tenant, days])).map(toRecipients);
  }

  /** What the tenant's attempts say of these spans, which do not overlap. */
  async ofAttempts(tenant: TenantId, spans: readonly Span[]): Promise<TenantRecipients[]> {
    if (spans.length === 0) return [];
    const rows = await this.uow.query<RecipientsRow>(SINCE_COUNTED, [
      tenant,
      spans.map((span) => span.from),
      spans.map((span) => span.to),
    ]);
    return rows.map(toRecipients);
  }

  /** Every live sending account; those of the simulator cost nothing. The fleet switches on neither VDM nor managed IPs. */
  async accounts(): Promise<BilledAccount[]> {
    const rows = await this.uow.query<{ id: SendingAccountId; created_at: Date }>(
      `SELECT id, created_at FROM sending_account WHERE mode = 'LIVE'`,
    );
    const plans = await this.pricingPlans(rows.map((row) => row.id));
    return rows.map((row) => ({
      sendingAccountId: row.id,
      createdAt: row.created_at,
      plans: plans.get(row.id) ?? [],
      vdm: false,
      managedIps: false,
    }));
  }

  /** The pricing plans that these accounts have been on, oldest first. */
  async pricingPlans(ids: readonly SendingAccountId[]): Promise<Map<SendingAccountId, PlanInForce[]>> {
    const rows = await this.uow.query<PlansRow>(PLANS, [ids]);
    return new Map(
      rows.map((row) => [
        row.sending_account_id,
        row.plans.map(({ plan, from }) => ({ pricingPlan: plan, validFrom: new Date(from) })),
      ]),
    );
  }
}

function toRecipients(row: RecipientsRow): TenantRecipients {
  return { sendingAccountId: row.sending_account_id, from: row.hour, recipients: BigInt(row.recipients) };
}
