import { UnitOfWork } from '@libs/database';
import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Bearer } from '../cost/allocation.policy';
import type { Span } from '../billing-period.policy';
import type { BilledAccount, IpLease, Usage } from '../cost/fleet-costs.policy';
import type { HourOfUse } from '../cost/pool-weights.policy';
import type { PricingPlan } from '../rates/rate-card.policy';

/**
 * Attempts that SES accepted in live mode between $1 and $2, by the time they ended: recorded as sent, or proven sent by
 * their Send event whatever was recorded before. `extra` are those of a message that an earlier attempt has already
 * delivered to SES: its tenant is charged once. An attempt ends within eight days after it began, since a message waits
 * for seven at most: the beginning is what is indexed.
 */
const ACCEPTED = (which = '') => `
  accepted AS MATERIALIZED (
    SELECT found.tenant_id, found.sending_account_id, found.lane_id, found.at, found.n_rcpt,
           found.attempt_no > 1 AND EXISTS (
             SELECT 1 FROM attempt earlier
              WHERE earlier.tenant_id = found.tenant_id AND earlier.message_id = found.message_id
                AND earlier.attempt_no < found.attempt_no
                AND (earlier.state = 'SENT' OR earlier.send_event_at IS NOT NULL)) AS extra
      FROM (SELECT tenant_id, message_id, attempt_no, sending_account_id, lane_id, mode, n_rcpt,
                   coalesce(ended_at, send_event_at, created_at) AS at
              FROM attempt
             WHERE ${which} created_at >= $1::timestamptz - interval '8 days' AND created_at < $2::timestamptz + interval '1 hour'
               AND (state = 'SENT' OR send_event_at IS NOT NULL)
               AND coalesce(ended_at, send_event_at, created_at) >= $1
               AND coalesce(ended_at, send_event_at, created_at) < $2) found
      JOIN sending_account account ON account.id = found.sending_account_id AND account.mode = 'LIVE'
     WHERE found.mode = 'LIVE')`;

const BY_ACCOUNT = `WITH ${ACCEPTED()}
  SELECT sending_account_id, tenant_id, width_bucket(at, $3::timestamptz[])::text AS part,
         coalesce(sum(n_rcpt) FILTER (WHERE NOT extra), 0)::text AS recipients,
         coalesce(sum(n_rcpt) FILTER (WHERE extra), 0)::text AS extra_recipients
    FROM accepted GROUP BY 1, 2, 3`;

const BY_POOL_HOUR = `WITH ${ACCEPTED()}
  SELECT accepted.lane_id, date_trunc('hour', accepted.at, 'UTC') AS hour,
         CASE WHEN accepted.extra THEN '__platform__' ELSE accepted.tenant_id::text END AS bearer,
         sum(accepted.n_rcpt)::text AS recipients
    FROM accepted JOIN lane ON lane.id = accepted.lane_id AND lane.kind = 'POOL' AND lane.owner_tenant_id IS NULL
   GROUP BY 1, 2, 3`;

const OF_TENANT = `WITH ${ACCEPTED('tenant_id = $4 AND')}
  SELECT account.pricing_plan, width_bucket(accepted.at, $3::timestamptz[])::text AS part, sum(accepted.n_rcpt)::text AS recipients
    FROM accepted JOIN sending_account account ON account.id = accepted.sending_account_id
   WHERE NOT accepted.extra
   GROUP BY 1, 2`;

/** Recipients of one tenant that cost the same. */
export interface PricedUsage {
  readonly pricingPlan: PricingPlan;
  readonly span: Span;
  readonly recipients: bigint;
}

/** The facts that billing reads: attempts, leases, accounts. It owns none of them. */
@Injectable()
export class UsageRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Per sending account, tenant and span. The spans follow each other without a gap. */
  async byAccount(spans: readonly Span[]): Promise<Usage[]> {
    const rows = await this.uow.query<{
      sending_account_id: SendingAccountId;
      tenant_id: TenantId;
      part: string;
      recipients: string;
      extra_recipients: string;
    }>(BY_ACCOUNT, parametersOf(spans));
    return rows.map((row) => ({
      sendingAccountId: row.sending_account_id,
      tenantId: row.tenant_id,
      span: partOf(spans, row.part),
      recipients: BigInt(row.recipients),
      extraRecipients: BigInt(row.extra_recipients),
    }));
  }

  /** Per shared pool, hour and bearer. */
  async byPoolHour(span: Span): Promise<(HourOfUse & { laneId: LaneId })[]> {
    const rows = await this.uow.query<{ lane_id: LaneId; hour: Date; bearer: Bearer; recipients: string }>(
      BY_POOL_HOUR,
      [span.from, span.to],
    );
    return rows.map((row) => ({
      laneId: row.lane_id,
      hour: row.hour,
      bearer: row.bearer,
      recipients: BigInt(row.recipients),
    }));
  }

  async ofTenant(tenant: TenantId, spans: readonly Span[]): Promise<PricedUsage[]> {
    const rows = await this.uow.query<{ pricing_plan: PricingPlan; part: string; recipients: string }>(OF_TENANT, [
      ...parametersOf(spans),
      tenant,
    ]);
    return rows.map((row) => ({
      pricingPlan: row.pricing_plan,
      span: partOf(spans, row.part),
      recipients: BigInt(row.recipients),
    }));
  }

  /** Every live sending account; those of the simulator cost nothing. */
  async accounts(): Promise<BilledAccount[]> {
    const rows = await this.uow.query<{ id: SendingAccountId; pricing_plan: PricingPlan; created_at: Date }>(
      `SELECT id, pricing_plan, created_at FROM sending_account WHERE mode = 'LIVE'`,
    );
    return rows.map((row) => ({
      sendingAccountId: row.id,
      pricingPlan: row.pricing_plan,
      createdAt: row.created_at,
    }));
  }

  /** When each dedicated IP of a live account was leased within the span. Whole milliseconds. */
  async leases(span: Span): Promise<IpLease[]> {
    const rows = await this.uow.query<{
      sending_account_id: SendingAccountId;
      lane_id: LaneId | null;
      owner_tenant_id: TenantId | null;
      leased_at: Date;
      released_at: Date | null;
    }>(
      `SELECT ip.sending_account_id, ip.lane_id, lane.owner_tenant_id, ip.leased_at, ip.released_at
         FROM dedicated_ip ip
         JOIN sending_account account ON account.id = ip.sending_account_id AND account.mode = 'LIVE'
         LEFT JOIN lane ON lane.id = ip.lane_id
        WHERE ip.leased_at < $2 AND (ip.released_at IS NULL OR ip.released_at > $1)`,
      [span.from, span.to],
    );
    return rows.map((row) => ({
      sendingAccountId: row.sending_account_id,
      laneId: row.lane_id,
      ownerTenantId: row.owner_tenant_id,
      from: row.leased_at > span.from ? row.leased_at : span.from,
      to: row.released_at !== null && row.released_at < span.to ? row.released_at : span.to,
    }));
  }

  async pricingPlans(ids: readonly SendingAccountId[]): Promise<Map<SendingAccountId, PricingPlan>> {
    const rows = await this.uow.query<{ id: SendingAccountId; pricing_plan: PricingPlan }>(
      'SELECT id, pricing_plan FROM sending_account WHERE id = ANY($1::uuid[])',
      [ids],
    );
    return new Map(rows.map((row) => [row.id, row.pricing_plan]));
  }
}

function parametersOf(spans: readonly Span[]): [Date | undefined, Date | undefined, Date[]] {
  return [spans[0]?.from, spans.at(-1)?.to, spans.map((span) => span.from)];
}

/** width_bucket counts from 1. */
function partOf(spans: readonly Span[], part: string): Span {
  const span = spans.find((_, index) => BigInt(index) + 1n === BigInt(part));
  if (!span) throw new RangeError(`no span ${part}`);
  return span;
}
