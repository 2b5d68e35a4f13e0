import { newId, type LaneId, type MessageId, type PlanId, type SendingAccountId, type TenantId } from '@libs/kernel';
import { Client } from 'pg';
import { NOON } from '../tenancy/api-process';

export interface AccountFacts {
  readonly id: SendingAccountId;
  readonly sharedLane: LaneId;
}

export interface AttemptFacts {
  readonly state: 'INTENT' | 'SENT' | 'REJECTED' | 'NOT_SENT' | 'IN_DOUBT';
  readonly endedAt?: Date | null;
  readonly sendEventAt?: Date;
  readonly lane?: LaneId;
}

/** Writes the facts that billing reads, as the libs that own them would have. */
export class FleetFactsWriter {
  private serial = 0;
  private constructor(private readonly client: Client) {}

  static async open(superuserUrl: string): Promise<FleetFactsWriter> {
    const client = new Client({ connectionString: superuserUrl });
    await client.connect();
    return new FleetFactsWriter(client);
  }

  close(): Promise<void> {
    return this.client.end();
  }

  query(sql: string, parameters: unknown[] = []) {
    return this.client.query<Record<string, unknown>>(sql, parameters);
  }

  async tenant(): Promise<TenantId> {
    const id = newId<TenantId>();
    const plan = newId<PlanId>();
    this.serial += 1;
    await this.query(
      `INSERT INTO plan (id, code, name, tier, streams, weight, created_at) VALUES ($1, $2, 'P', 'free', '{MARKETING}', 1, $3)`,
      [plan, `p${this.serial}`, NOON],
    );
    await this.query(
      `INSERT INTO plan_price (plan_id, valid_from, base_fee_micro, included_recipients, dedicated_ip_fee_micro, minimum_micro, monotone, source)
       VALUES ($1, '2026-01-01', 5000000, 0, 0, 0, true, 'test')`,
      [plan],
    );
    await this.query(`INSERT INTO tenant (id, name, plan_id, state, created_at) VALUES ($1, 'T', $2, 'ACTIVE', $3)`, [
      id,
      plan,
      NOON,
    ]);
    await this.query(`INSERT INTO tenant_plan (tenant_id, plan_id, valid_from) VALUES ($1, $2, $3)`, [id, plan, NOON]);
    return id;
  }

  async account(facts: { mode?: 'LIVE' | 'TEST'; pricingPlan?: string; createdAt?: Date } = {}): Promise<AccountFacts> {
    this.serial += 1;
    const [aws, id] = [newId(), newId<SendingAccountId>()];
    const { mode = 'LIVE', pricingPlan = 'NONE', createdAt = new Date('2026-01-01T00:00:00Z') } = facts;
    await this.query(
      `INSERT INTO aws_account (id, account_id, name, tier, mode, regions, external_id, send_role_arn, manage_role_arn, state, created_at)
       VALUES ($1, $2, 'A', 'free', $3, '{us-east-1}', $4, 'arn', 'arn', 'ACTIVE', $5)`,
      [aws, String(100_000_000_000 + this.serial), mode, `external-${this.serial}`, createdAt],
    );
    await this.query(
      `INSERT INTO sending_account (id, aws_account_id, region, tier, mode, state, max_24_hour_send, max_send_rate, pricing_plan, created_at)
       VALUES ($1, $2, 'us-east-1', 'free', $3, 'PRODUCTION', 50000, 14, $4, $5)`,
      [id, aws, mode, pricingPlan, createdAt],
    );
    await this.plan(id, pricingPlan, createdAt);
    return { id, sharedLane: await this.lane(id, 'SHARED') };
  }

  /** The account is on that pricing plan from then on. */
  async plan(account: SendingAccountId, pricingPlan: string, from: Date): Promise<void> {
    await this.query('UPDATE account_plan SET valid_to = $2 WHERE sending_account_id = $1 AND valid_to IS NULL', [
      account,
      from,
    ]);
    await this.query('INSERT INTO account_plan (sending_account_id, pricing_plan, valid_from) VALUES ($1, $2, $3)', [
      account,
      pricingPlan,
      from,
    ]);
    await this.query('UPDATE sending_account SET pricing_plan = $2 WHERE id = $1', [account, pricingPlan]);
  }

  async lane(account: SendingAccountId, kind: 'SHARED' | 'POOL', owner: TenantId | null = null): Promise<LaneId> {
    this.serial += 1;
    const id = newId<LaneId>();
    await this.query(
      `INSERT INTO lane (id, sending_account_id, kind, pool_name, owner_tenant_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
      [id, account, kind, `pool-${this.serial}`, owner, NOON],
    );
    return id;
  }

  async ip(
    account: SendingAccountId,
    lane: LaneId | null,
    leasedAt: Date,
    releasedAt: Date | null = null,
  ): Promise<void> {
    this.serial += 1;
    await this.query(
      `INSERT INTO dedicated_ip (sending_account_id, ip, lane_id, warmup_status, warmup_percentage, leased_at, released_at)
       VALUES ($1, $2, $3, 'DONE', 100, $4, $5)`,
      [account, `198.51.100.${this.serial}`, lane, leasedAt, releasedAt],
    );
    await this.query(
      `INSERT INTO ip_lease (sending_account_id, ip, lane_id, owner_tenant_id, leased_from, leased_to)
       SELECT $1, $2, $3, (SELECT owner_tenant_id FROM lane WHERE id = $3), $4, $5`,
      [account, `198.51.100.${this.serial}`, lane, leasedAt, releasedAt],
    );
  }

  /** A message with its attempts, first to last. */
  async message(
    tenant: TenantId,
    account: AccountFacts,
    recipients: number,
    attempts: readonly AttemptFacts[],
    mode: 'LIVE' | 'TEST' = 'LIVE',
  ): Promise<MessageId> {
    const id = newId<MessageId>();
    await this.query(
      `INSERT INTO message (tenant_id, id, mode, stream, state, sending_account_id, lane_id, n_rcpt, bytes, from_address, subject,
                            idempotency_key, created_at, expires_at)
       VALUES ($1, $2, $3, 'MARKETING', 'SENT', $4, $5, $6, 1000, 'a@example.com', 's', $7, $8, $8)`,
      [tenant, id, mode, account.id, account.sharedLane, recipients, id, NOON],
    );
    let number = 0;
    for (const attempt of attempts) {
      number += 1;
      const batch = newId();
      await this.query(
        `INSERT INTO batch (id, sending_account_id, state, worker, granted, claimed, bucket, slot_end, created_at)
         VALUES ($1, $2, 'SETTLED', 'w', 1, 1, $3, $3, $3)`,
        [batch, account.id, NOON],
      );
      await this.query(
        `INSERT INTO attempt (tenant_id, id, message_id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt,
                              bytes, state, created_at, ended_at, send_event_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'MARKETING', $9, 1000, $10, $11, $12, $13)`,
        [
          tenant,
          newId(),
          id,
          number,
          batch,
          account.id,
          attempt.lane ?? account.sharedLane,
          mode,
          recipients,
          attempt.state,
          attempt.endedAt ?? attempt.sendEventAt ?? NOON,
          attempt.endedAt === undefined ? NOON : attempt.endedAt,
          attempt.sendEventAt ?? null,
        ],
      );
    }
    return id;
  }
}
