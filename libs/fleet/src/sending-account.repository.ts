import type { AccountSnapshot, PricingPlan } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import {
  isBackwards,
  newId,
  toPage,
  type AwsAccountId,
  type Mode,
  type Page,
  type PageRequest,
  type SendingAccountId,
} from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { AccountPlanRepository } from './account-plan.repository';
import type { AwsAccountState } from './aws-account.repository';
import type { SendingAccountState } from './sending-account-state.policy';

/** One AWS account in one region: what AWS gives a quota, a sandbox state and an enforcement status to. */
export interface SendingAccount {
  readonly id: SendingAccountId;
  readonly awsAccountId: AwsAccountId;
  /** 12 digits. */
  readonly accountId: string;
  readonly awsAccountState: AwsAccountState;
  readonly region: string;
  readonly tier: string;
  readonly mode: Mode;
  readonly state: SendingAccountState;
  readonly sendingEnabled: boolean;
  /** Recipients per rolling 24 h; -1 = unlimited (aws-facts 3). */
  readonly max24HourSend: bigint;
  /** Recipients per second, a decimal. */
  readonly maxSendRate: string;
  readonly sentLast24Hours: bigint;
  readonly pricingPlan: PricingPlan;
  /** Raised when the quota ledger is rebuilt. */
  readonly epoch: bigint;
  readonly topicArn: string | null;
  /** Null until SNS delivers events to us. */
  readonly subscriptionArn: string | null;
  readonly observedAt: Date | null;
  /** SES took shared requests and could not render their mail: until then each message goes by itself. */
  readonly apartUntil: Date | null;
}

export interface SendingAccountFilter {
  readonly tier?: string;
  readonly awsAccountId?: AwsAccountId;
  readonly mode?: Mode;
}

interface SendingAccountRow extends Omit<SendingAccount, 'max24HourSend' | 'sentLast24Hours' | 'epoch'> {
  readonly max24HourSend: string;
  readonly sentLast24Hours: string;
  readonly epoch: string;
}

const SELECT = `SELECT s.id, s.aws_account_id AS "awsAccountId", a.account_id AS "accountId", a.state AS "awsAccountState",
    s.region, s.tier, s.mode, s.state, s.sending_enabled AS "sendingEnabled",
    s.max_24_hour_send::text AS "max24HourSend", trim_scale(s.max_send_rate)::text AS "maxSendRate",
    s.sent_last_24_hours::text AS "sentLast24Hours", s.pricing_plan AS "pricingPlan", s.epoch::text AS epoch,
    s.topic_arn AS "topicArn", s.subscription_arn AS "subscriptionArn", s.observed_at AS "observedAt",
    s.apart_until AS "apartUntil"
  FROM sending_account s JOIN aws_account a ON a.id = s.aws_account_id`;
const FIND = `${SELECT} WHERE s.id = ANY($1::uuid[]) ORDER BY s.id`;
const FIND_BY_REGION = `${SELECT} WHERE s.aws_account_id = $1 AND s.region = $2`;
// Once verified, an account goes on sending while it is verified again, and also when that fails: what cannot be sent is
// refused by AWS itself. Only new tenants wait for ACTIVE.
const ACTIVE = `${SELECT} WHERE a.verified_at IS NOT NULL ORDER BY s.id`;
const NOT_SUBSCRIBED = `${SELECT} WHERE a.verified_at IS NOT NULL AND s.topic_arn IS NOT NULL
  AND (s.webhook_url IS DISTINCT FROM $1 OR s.subscription_arn IS NULL) ORDER BY s.id`;
const BY_TIER = `${SELECT} WHERE a.state = 'ACTIVE' AND s.mode = $1 AND ($2::text IS NULL OR s.tier = $2) ORDER BY s.id`;
const BETWEEN = `${SELECT} WHERE ($1::uuid IS NULL OR s.id > $1) AND ($2::uuid IS NULL OR s.id < $2)
  AND ($4::text IS NULL OR s.tier = $4) AND ($5::uuid IS NULL OR s.aws_account_id = $5) AND ($6::text IS NULL OR s.mode = $6)`;
const PAGE_FORWARDS = `${BETWEEN} ORDER BY s.id LIMIT $3`;
const PAGE_BACKWARDS = `${BETWEEN} ORDER BY s.id DESC LIMIT $3`;

@Injectable()
export class SendingAccountRepository {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly plans: AccountPlanRepository,
  ) {}

  async findByIds(ids: readonly SendingAccountId[]): Promise<SendingAccount[]> {
    return (await this.uow.query<SendingAccountRow>(FIND, [ids])).map(toSendingAccount);
  }

  async findByRegion(awsAccountId: AwsAccountId, region: string): Promise<SendingAccount | undefined> {
    const [row] = await this.uow.query<SendingAccountRow>(FIND_BY_REGION, [awsAccountId, region]);
    return row && toSendingAccount(row);
  }

  /** Outside of any unit: what is committed now. */
  async active(): Promise<SendingAccount[]> {
    return (await this.uow.look<SendingAccountRow>(ACTIVE)).map(toSendingAccount);
  }

  async byTier(mode: Mode, tier: string | null): Promise<SendingAccount[]> {
    return (await this.uow.query<SendingAccountRow>(BY_TIER, [mode, tier])).map(toSendingAccount);
  }

  /** In order of creation; cursors are ids. */
  async page(request: PageRequest, filter: SendingAccountFilter): Promise<Page<SendingAccount>> {
    const sql = isBackwards(request) ? PAGE_BACKWARDS : PAGE_FORWARDS;
    const rows = await this.uow.query<SendingAccountRow>(sql, [
      request.after ?? null,
      request.before ?? null,
      request.limit + 1,
      filter.tier ?? null,
      filter.awsAccountId ?? null,
      filter.mode ?? null,
    ]);
    return toPage(rows.map(toSendingAccount), request);
  }

  /** Makes the row of an account's region, or brings it up to what was just observed. Answers its id. */
  async save(
    owner: { readonly id: AwsAccountId; readonly tier: string; readonly mode: Mode },
    region: string,
    snapshot: AccountSnapshot,
    state: SendingAccountState,
    at: Date,
  ): Promise<SendingAccountId> {
    const [row] = await this.uow.query<{ id: SendingAccountId }>(
      `INSERT INTO sending_account (id, aws_account_id, region, tier, mode, state, sending_enabled, max_24_hour_send,
                                    max_send_rate, sent_last_24_hours, pricing_plan, observed_at, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
       ON CONFLICT (aws_account_id, region) DO UPDATE
         SET state = excluded.state, sending_enabled = excluded.sending_enabled,
             max_24_hour_send = excluded.max_24_hour_send, max_send_rate = excluded.max_send_rate,
             sent_last_24_hours = excluded.sent_last_24_hours, pricing_plan = excluded.pricing_plan,
             observed_at = excluded.observed_at
       RETURNING id`,
      [
        newId<SendingAccountId>(),
        owner.id,
        region,
        owner.tier,
        owner.mode,
        state,
        snapshot.sendingEnabled,
        snapshot.max24HourSend.toString(),
        snapshot.maxSendRate,
        snapshot.sentLast24Hours.toString(),
        snapshot.pricingPlan,
        at,
      ],
    );
    if (!row) throw new Error('an upsert answered no row');
    const { pricingPlan, nextPricingPlan: nextPlan } = snapshot;
    await this.plans.observe(row.id, { pricingPlan, nextPlan }, at);
    return row.id;
  }

  async setTopic(id: SendingAccountId, topicArn: string): Promise<void> {
    await this.uow.query('UPDATE sending_account SET topic_arn = $2 WHERE id = $1', [id, topicArn]);
  }

  /** Accounts whose events were asked to go elsewhere than `url`: the address of this installation has changed. */
  async notSubscribed(url: string): Promise<SendingAccount[]> {
    return (await this.uow.prepared<SendingAccountRow>(NOT_SUBSCRIBED, [url])).map(toSendingAccount);
  }

  /**
   * Notes where SNS was asked to deliver. The confirmation, which brings the ARN, may have come already; the ARN of another
   * address says nothing about this one.
   */
  async setWebhook(id: SendingAccountId, url: string, subscriptionArn: string | null): Promise<void> {
    await this.uow.query(
      `UPDATE sending_account SET webhook_url = $2, subscription_arn =
              coalesce($3, CASE WHEN webhook_url = $2 THEN subscription_arn END) WHERE id = $1`,
      [id, url, subscriptionArn],
    );
  }

  async setSubscription(id: SendingAccountId, topicArn: string, subscriptionArn: string): Promise<void> {
    await this.uow.query('UPDATE sending_account SET subscription_arn = $3 WHERE id = $1 AND topic_arn = $2', [
      id,
      topicArn,
      subscriptionArn,
    ]);
  }

  /** Until the transaction ends nobody else says what state it is in. */
  async lock(id: SendingAccountId): Promise<void> {
    await this.uow.query('SELECT FROM sending_account WHERE id = $1 FOR NO KEY UPDATE', [id]);
  }

  /** A suspension is never softened to a pause. */
  async markFromSend(id: SendingAccountId, state: 'PAUSED' | 'SUSPENDED'): Promise<void> {
    await this.uow.query(`UPDATE sending_account SET state = $2 WHERE id = $1 AND state NOT IN ('SUSPENDED', $2)`, [
      id,
      state,
    ]);
  }

  /** Not written anew for less than a minute: a claim waits for whoever writes the row. */
  async keepApart(ids: readonly SendingAccountId[], until: Date): Promise<void> {
    await this.uow.query(
      `UPDATE sending_account SET apart_until = $2
        WHERE id = ANY($1::uuid[]) AND (apart_until IS NULL OR apart_until < $2::timestamptz - interval '1 minute')`,
      [ids, until],
    );
  }

  async raiseEpoch(id: SendingAccountId): Promise<bigint | undefined> {
    const [row] = await this.uow.query<{ epoch: string }>(
      'UPDATE sending_account SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch::text AS epoch',
      [id],
    );
    return row && BigInt(row.epoch);
  }
}

function toSendingAccount(row: SendingAccountRow): SendingAccount {
  return {
    ...row,
    max24HourSend: BigInt(row.max24HourSend),
    sentLast24Hours: BigInt(row.sentLast24Hours),
    epoch: BigInt(row.epoch),
  };
}
