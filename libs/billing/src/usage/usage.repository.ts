import { UnitOfWork } from '@libs/database';
import type { SendingAccountId, TenantId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { Span } from '../billing-period.policy';
import type { BilledAccount } from '../cost/fleet-costs.policy';
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

  /** Every live sending account; those of the simulator cost nothing. The fleet switches on neither VDM nor managed IPs. */
  async accounts(): Promise<BilledAccount[]> {
    const rows = await this.uow.query<{
      id: SendingAccountId;
      created_at: Date;
      plans: { plan: PricingPlan; from: string }[] | null;
    }>(
      `SELECT s.id, s.created_at,
              (SELECT jsonb_agg(jsonb_build_object('plan', p.pricing_plan, 'from', p.valid_from) ORDER BY p.valid_from)
                 FROM account_plan p WHERE p.sending_account_id = s.id) AS plans
         FROM sending_account s WHERE s.mode = 'LIVE'`,
    );
    return rows.map((row) => ({
      sendingAccountId: row.id,
      createdAt: row.created_at,
      plans: (row.plans ?? []).map(({ plan, from }) => ({ pricingPlan: plan, validFrom: new Date(from) })),
      vdm: false,
      managedIps: false,
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
