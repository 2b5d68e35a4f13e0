import { createDataSource, DatabaseModule, UnitOfWork } from '@libs/database';
import { DeliverabilityModule, type DeliverabilityOptions } from '@libs/deliverability';
import {
  EngineClock,
  newId,
  SystemClock,
  type AttemptId,
  type LaneId,
  type MessageId,
  type Mode,
  type PlanId,
  type SendingAccountId,
  type Stream,
  type TenantId,
} from '@libs/kernel';
import { Log, Metrics, ObservabilityModule } from '@libs/observability';
import { EngineRedis, QueueingModule } from '@libs/queueing';
import { SendingModule } from '@libs/sending';
import { Test, type TestingModule } from '@nestjs/testing';
import { Client } from 'pg';
import { ClockModule } from '../support/clock.module';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis, type TestRedis } from '../support/redis';

/** The time at which every such test starts. */
export const NOON = new Date('2026-11-22T12:00:00.000Z');

export interface AccountRow {
  readonly id: SendingAccountId;
  readonly lane: LaneId;
  readonly accountId: string;
  readonly topicArn: string;
}

export interface TenantSettings {
  readonly dayCap?: number | null;
  readonly rate?: number | null;
  readonly streams?: readonly Stream[];
  readonly domain?: string;
  readonly ready?: boolean;
  readonly mode?: Mode;
}

/** Api and worker on one database and one Redis, with a clock that the test moves and facts written behind their backs. */
export class SendingProcess {
  private serial = 0;

  private constructor(
    readonly api: TestingModule,
    readonly worker: TestingModule,
    readonly database: TestDatabase,
    readonly clock: EngineClock,
    private readonly redis: TestRedis,
    private readonly client: Client,
    private readonly ends: readonly (() => Promise<unknown>)[],
  ) {}

  static async start(options: DeliverabilityOptions = {}): Promise<SendingProcess> {
    const database = await createTestDatabase();
    const redis = await createTestRedis();
    const clock = standingAt(NOON);
    const pool = (role: 'app' | 'admin' | 'worker') =>
      createDataSource({ url: database.urls[role], applicationName: `test-${role}`, poolSize: 6 });
    const [app, admin, worker] = [pool('app'), pool('admin'), pool('worker')];
    await Promise.all([app.initialize(), admin.initialize(), worker.initialize()]);
    const assemble = (name: string, pools: Parameters<typeof DatabaseModule.forRoot>[0]) =>
      Test.createTestingModule({
        imports: [
          ObservabilityModule.forRoot(new Log({ name, level: 'silent' }), new Metrics(name)),
          DatabaseModule.forRoot(pools),
          QueueingModule.forRoot({ redisUrl: redis.url }),
          ClockModule.of(clock),
          DeliverabilityModule.forRoot(options),
          SendingModule.forRoot({ admissionDays: 3 }),
        ],
      }).compile();
    const [apiModule, workerModule] = [await assemble('api', { app, admin }), await assemble('worker', { worker })];
    const client = new Client({ connectionString: database.superuserUrl });
    await client.connect();
    return new SendingProcess(apiModule, workerModule, database, clock, redis, client, [
      () => apiModule.close(),
      () => workerModule.close(),
      () => Promise.all([app.destroy(), admin.destroy(), worker.destroy()]),
    ]);
  }

  async close(): Promise<void> {
    for (const end of this.ends) await end();
    await this.client.end();
    await this.redis.close();
    await this.database.drop();
  }

  /** Cuts the api off from the ledger's Redis. */
  dropRedis(): void {
    this.api.get(EngineRedis, { strict: false }).disconnect();
  }

  async query<Row extends object = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(sql, parameters)).rows;
  }

  async account(facts: { quota?: number; rate?: number; mode?: Mode } = {}): Promise<AccountRow> {
    this.serial += 1;
    const [aws, id, lane] = [newId(), newId<SendingAccountId>(), newId<LaneId>()];
    const accountId = String(100_000_000_000 + this.serial);
    const topicArn = `arn:aws:sns:us-east-1:${accountId}:postfleet-events`;
    const mode = facts.mode ?? 'LIVE';
    await this.query(
      `INSERT INTO aws_account (id, account_id, name, tier, mode, regions, external_id, send_role_arn, manage_role_arn, state, created_at)
       VALUES ($1, $2, 'A', 'growth', $3, '{us-east-1}', $2, 'arn', 'arn', 'ACTIVE', $4)`,
      [aws, accountId, mode, NOON],
    );
    await this.query(
      `INSERT INTO sending_account (id, aws_account_id, region, tier, mode, state, max_24_hour_send, max_send_rate, topic_arn, created_at)
       VALUES ($1, $2, 'us-east-1', 'growth', $3, 'PRODUCTION', $4, $5, $6, $7)`,
      [id, aws, mode, facts.quota ?? 50_000, facts.rate ?? 14, topicArn, NOON],
    );
    await this.query(
      `INSERT INTO lane (id, sending_account_id, kind, pool_name, created_at) VALUES ($1, $2, 'SHARED', 'ses-shared-pool', $3)`,
      [lane, id, NOON],
    );
    return { id, lane, accountId, topicArn };
  }

  /** A tenant with a plan, a domain and a placement of each of its streams, set up at SES. */
  async tenant(account: AccountRow, settings: TenantSettings = {}): Promise<TenantId> {
    this.serial += 1;
    const [plan, id] = [newId<PlanId>(), newId<TenantId>()];
    const { dayCap = null, rate = null, streams = ['TRANSACTIONAL', 'MARKETING'] } = settings;
    await this.query(
      `INSERT INTO plan (id, code, name, tier, streams, weight, recipients_per_day, recipients_per_second, created_at)
       VALUES ($1, $2, 'Growth', 'growth', $3, 10, $4, $5, $6)`,
      [plan, `p${String(this.serial)}`, streams, dayCap, rate, NOON],
    );
    await this.query(`INSERT INTO tenant (id, name, plan_id, state, created_at) VALUES ($1, 'T', $2, 'ACTIVE', $3)`, [
      id,
      plan,
      NOON,
    ]);
    await this.query('INSERT INTO domain (tenant_id, id, name, state, created_at) VALUES ($1, $2, $3, $4, $5)', [
      id,
      newId(),
      settings.domain ?? `t${String(this.serial)}.example`,
      settings.ready === false ? 'PENDING' : 'READY',
      NOON,
    ]);
    for (const stream of streams) await this.place(id, account, stream, settings.mode);
    return id;
  }

  async place(tenant: TenantId, account: AccountRow, stream: Stream, mode: Mode = 'LIVE'): Promise<void> {
    await this.query(
      'UPDATE placement SET valid_to = $3 WHERE tenant_id = $1 AND stream = $2 AND mode = $4 AND valid_to IS NULL',
      [tenant, stream, NOON, mode],
    );
    await this.query(
      `INSERT INTO placement (tenant_id, id, mode, stream, sending_account_id, lane_id, weight, reason, decided_by, valid_from)
       VALUES ($1, $2, $3, $4, $5, $6, 1000, 'test', 'test', $7)`,
      [tenant, newId(), mode, stream, account.id, account.lane, NOON],
    );
    await this.query(
      `INSERT INTO configuration_set (tenant_id, sending_account_id, stream, name, lane_id, ready_at)
       VALUES ($1, $2, $3, 'pf-test', $4, $5) ON CONFLICT DO NOTHING`,
      [tenant, account.id, stream, account.lane, NOON],
    );
    await this.query(
      `INSERT INTO domain_identity (tenant_id, domain_id, sending_account_id, state, checked_at)
       SELECT tenant_id, id, $2, 'VERIFIED', $3 FROM domain WHERE tenant_id = $1 ON CONFLICT DO NOTHING`,
      [tenant, account.id, NOON],
    );
  }

  async domainOf(tenant: TenantId): Promise<string> {
    const [row] = await this.query<{ name: string }>('SELECT name FROM domain WHERE tenant_id = $1', [tenant]);
    return row?.name ?? '';
  }

  /** What the engine does when it claims a message and ends an attempt of it. */
  async attempt(
    message: { readonly id: MessageId; readonly tenantId: TenantId },
    state: 'INTENT' | 'SENT' | 'IN_DOUBT' | 'NOT_SENT',
    settings: { readonly account: AccountRow; readonly no?: number; readonly messageState?: string },
  ): Promise<AttemptId> {
    const [id, batch] = [newId<AttemptId>(), newId()];
    const { account, no = 1 } = settings;
    await this.query(
      `INSERT INTO batch (id, sending_account_id, state, worker, granted, claimed, bucket, slot_end, created_at)
       VALUES ($1, $2, 'SETTLED', 'w', 1, 1, $3, $3, $3)`,
      [batch, account.id, NOON],
    );
    await this.query(
      `INSERT INTO attempt (tenant_id, id, message_id, attempt_no, batch_id, sending_account_id, lane_id, mode, stream, n_rcpt, bytes, state,
                            created_at, ended_at)
       SELECT tenant_id, $3, id, $4, $5, $6, $7, mode, stream, n_rcpt, bytes, $8::text, $9::timestamptz,
              CASE WHEN $8::text = 'INTENT' THEN NULL ELSE $9::timestamptz END
         FROM message WHERE tenant_id = $1 AND id = $2`,
      [message.tenantId, message.id, id, no, batch, account.id, account.lane, state, NOON],
    );
    const messageState = settings.messageState ?? (state === 'NOT_SENT' ? 'READY' : state);
    await this.query('UPDATE message SET state = $3, attempt_no = $4 WHERE tenant_id = $1 AND id = $2', [
      message.tenantId,
      message.id,
      messageState,
      no,
    ]);
    if (messageState !== 'READY') {
      await this.query('DELETE FROM backlog WHERE tenant_id = $1 AND message_id = $2', [message.tenantId, message.id]);
    }
    return id;
  }

  get uow(): UnitOfWork {
    return this.api.get(UnitOfWork);
  }
}

/** Engine time that stands still, for Redis too: so slow that a test does not see it move. */
function standingAt(time: Date): EngineClock {
  const real = new SystemClock();
  const baseMs = real.nowMs();
  return new EngineClock(real, { baseMs, speed: 1e-9, offsetMs: time.getTime() - baseMs });
}
