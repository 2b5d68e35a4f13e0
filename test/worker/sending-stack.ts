import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig, workerConfig, type WorkerConfig } from '@libs/config';
import { createDataSource, DatabaseModule, UnitOfWork } from '@libs/database';
import { DeliverabilityModule, SnsForged, SnsWebhookService } from '@libs/deliverability';
import {
  AccountVerification,
  AwsAccountService,
  confirmSubscription,
  DomainService,
  FleetModule,
  managePermissions,
  SendingAccountService,
  SubscriptionService,
  sendPermissions,
  trustPolicy,
  type SendingAccount,
} from '@libs/fleet';
import { EngineClock, type AwsAccountId, type MessageId, type SendingAccountId, type TenantId } from '@libs/kernel';
import { Log, Metrics, ObservabilityModule } from '@libs/observability';
import { PlacementModule, PlacementService, ProvisioningService } from '@libs/placement';
import { PlansModule, PlanService } from '@libs/plans';
import { QueueingModule } from '@libs/queueing';
import { AcceptService, SendingModule, type EmailInput } from '@libs/sending';
import { TenancyModule, TenantService } from '@libs/tenancy';
import { Test, type TestingModule } from '@nestjs/testing';
import type { DataSource } from 'typeorm';
import {
  isSend,
  SimulatorAdminClient,
  startSimulator,
  type Arrival,
  type RunningSimulator,
} from '../../apps/simulator/src';
import { createWorker, workerName, type RunningWorker } from '../../apps/worker/src/create-worker';
import { ClockModule } from '../support/clock.module';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis, type TestRedis } from '../support/redis';
import { waitFor } from '../support/wait-for';

const by = { actor: 'operator:test' };
const HUB = '999900000000';
export const HUB_ARN = `arn:aws:iam::${HUB}:user/postfleet-hub`;

export interface StackOptions {
  readonly inDoubtAfterMs?: number;
  readonly latencyMs?: number;
  readonly eventDelayMs?: number;
  readonly rerouteAfterMs?: number;
  readonly sharedRequests?: 'off';
}

export interface AccountWish {
  readonly max24HourSend?: number;
  readonly maxSendRate?: number;
}

/** The api's libs, a webhook, the simulator as AWS, and as many workers as a test starts. */
export class SendingStack {
  readonly workers: RunningWorker[] = [];
  readonly logLines: string[] = [];
  private readonly workerSources: DataSource[] = [];
  private accountNumber = 400_000_000_000;
  private webhookDown = false;

  private constructor(
    readonly database: TestDatabase,
    readonly redis: TestRedis,
    readonly simulator: RunningSimulator,
    readonly aws: SimulatorAdminClient,
    readonly keys: { accessKeyId: string; secretAccessKey: string },
    readonly recorderDir: string,
    private readonly api: TestingModule,
    private readonly sources: readonly DataSource[],
    private readonly webhook: Server,
    private readonly options: StackOptions,
  ) {}

  static async start(options: StackOptions = {}): Promise<SendingStack> {
    const [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    const simulator = await startSimulator({
      verifyDelayMs: 0,
      eventDelayMs: options.eventDelayMs ?? 10,
      latencyMs: options.latencyMs ?? 0,
      snsRetryDelaysMs: [50, 100, 200],
    });
    const aws = new SimulatorAdminClient(simulator.adminUrl);
    const keys = { accessKeyId: 'AKIAPOSTFLEETHUB0001', secretAccessKey: randomUUID() };
    await aws.putAccount(HUB, { users: [{ ...keys, userName: 'postfleet-hub', admin: true }] });
    const open = (url: string, applicationName: string) =>
      createDataSource({ url, applicationName, poolSize: 5 }).initialize();
    const sources = await Promise.all([open(database.urls.app, 'test-app'), open(database.urls.admin, 'test-admin')]);
    const [app, admin] = sources;
    const api = await Test.createTestingModule({
      imports: [
        DatabaseModule.forRoot({ app, admin }),
        ClockModule.of(new EngineClock()),
        ObservabilityModule.forRoot(new Log({ name: 'api', level: 'silent' }), new Metrics('api')),
        QueueingModule.forRoot({ redisUrl: redis.url }),
        TenancyModule,
        PlansModule,
        FleetModule,
        FleetModule.forRoot(),
        PlacementModule,
        DeliverabilityModule,
        DeliverabilityModule.forRoot({ simulator: { origin: simulator.endpoint, caPem: simulator.caPem } }),
        SendingModule.forRoot(),
      ],
    }).compile();
    await api.init();
    const webhook = createServer();
    const stack = new SendingStack(
      database,
      redis,
      simulator,
      aws,
      keys,
      mkdtempSync(path.join(tmpdir(), 'pf-recorder-')),
      api,
      sources,
      webhook,
      options,
    );
    webhook.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void stack.receive(Buffer.concat(chunks).toString()).then((status) => response.writeHead(status).end());
      });
    });
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
    return stack;
  }

  async close(): Promise<void> {
    for (const worker of [...this.workers]) await this.stopWorker(worker);
    await this.api.close();
    await Promise.all([...this.sources, ...this.workerSources].map((source) => source.destroy()));
    await this.simulator.close();
    this.webhook.closeAllConnections();
    await new Promise((resolve) => this.webhook.close(resolve));
    await this.redis.close();
    rmSync(this.recorderDir, { recursive: true, force: true });
    await this.database.drop();
  }

  inApi<T>(service: abstract new (...args: never[]) => T): T {
    return this.api.get(service);
  }

  get publicUrl(): string {
    return `http://127.0.0.1:${(this.webhook.address() as AddressInfo).port}`;
  }

  /** While down, the webhook answers 503 and SNS tries again. */
  setWebhookDown(down: boolean): void {
    this.webhookDown = down;
  }

  workerEnvironment(changes: Record<string, string> = {}): Record<string, string> {
    const wait = String(this.options.inDoubtAfterMs ?? 2_000);
    return {
      NODE_ENV: 'test',
      DATABASE_WORKER_URL: this.database.urls.worker,
      REDIS_URL: this.redis.url,
      PUBLIC_URL: this.publicUrl,
      AWS_ENDPOINT_URL: this.simulator.endpoint,
      AWS_TEST_ENDPOINT_URL: this.simulator.endpoint,
      AWS_ACCESS_KEY_ID: this.keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.keys.secretAccessKey,
      RECORDER_DIR: this.recorderDir,
      IN_DOUBT_AFTER_TRANSACTIONAL_MS: wait,
      IN_DOUBT_AFTER_BULK_MS: wait,
      ...(this.options.sharedRequests === undefined ? {} : { SHARED_REQUESTS: this.options.sharedRequests }),
      ...(this.options.rerouteAfterMs === undefined ? {} : { REROUTE_AFTER_MS: String(this.options.rerouteAfterMs) }),
      WORKER_PORT: '0',
      LOG_LEVEL: 'warn',
      ...changes,
    };
  }

  /** A worker in this process, whole, but doing nothing until `worker.start()`. */
  async createWorker(
    changes: Record<string, string> = {},
    name = workerName('test'),
    clock?: EngineClock,
  ): Promise<RunningWorker> {
    const config: WorkerConfig = loadConfig(workerConfig, this.workerEnvironment(changes));
    const pool = await createDataSource({
      url: config.DATABASE_WORKER_URL,
      applicationName: 'test-worker',
      poolSize: 10,
      genericPlans: true,
    }).initialize();
    this.workerSources.push(pool);
    const write = (line: string) => this.logLines.push(line);
    const running = await createWorker(config, {
      pools: { worker: pool },
      log: new Log({ name: 'worker', level: 'info', write }),
      metrics: new Metrics('worker'),
      worker: name,
      ...(clock === undefined ? {} : { clock }),
      aws: { credentials: this.keys, testCredentials: this.keys, controlIntervalMs: 0 },
    });
    await running.app.init();
    this.workers.push(running);
    return running;
  }

  async startWorker(changes: Record<string, string> = {}): Promise<RunningWorker> {
    const running = await this.createWorker(changes);
    await running.worker.start();
    return running;
  }

  async stopWorker(running: RunningWorker): Promise<void> {
    this.workers.splice(this.workers.indexOf(running), 1);
    await running.worker.stop();
    await running.app.close();
  }

  /** An account that has joined, verified by a worker that does nothing else. */
  async account(wish: AccountWish = {}, running?: RunningWorker): Promise<SendingAccount> {
    const { app } = running ?? (await this.idleWorker());
    this.accountNumber += 1;
    const account = await this.inApi(AwsAccountService).register(
      { accountId: String(this.accountNumber), name: 'Account', tier: 'growth', regions: ['us-east-1'] },
      by,
    );
    const trust = trustPolicy(HUB_ARN, account.externalId);
    await this.aws.putAccount(account.accountId, {
      regions: { 'us-east-1': { max24HourSend: 50_000, maxSendRate: 500, productionAccess: true, ...wish } },
      roles: [
        { arn: account.sendRoleArn, trustPolicy: trust, permissionPolicy: sendPermissions(account.accountId) },
        { arn: account.manageRoleArn, trustPolicy: trust, permissionPolicy: managePermissions(account.accountId) },
      ],
    });
    const verified = await app.get(AccountVerification).verify(account.id);
    expect(verified).toMatchObject({ state: 'ACTIVE', failure: null });
    await this.confirmSubscriptions(app, account.id);
    const { rows } = await this.inApi(SendingAccountService).list({ limit: 10 }, { awsAccountId: account.id });
    return rows[0]!;
  }

  /** A tenant with the domain `<name>.example`, placed and provisioned. */
  async tenant(
    name: string,
    plan: { weight?: number; recipientsPerDay?: bigint | null; recipientsPerSecond?: string } = {},
  ): Promise<TenantId> {
    const { app } = await this.idleWorker();
    const { id: planId } = await this.inApi(PlanService).create(
      {
        code: `plan-${randomUUID().slice(0, 8)}`,
        name: 'Plan',
        tier: 'growth',
        streams: ['TRANSACTIONAL', 'MARKETING'],
        weight: plan.weight ?? 10,
        recipientsPerDay: plan.recipientsPerDay === undefined ? 10_000n : plan.recipientsPerDay,
        recipientsPerSecond: plan.recipientsPerSecond ?? null,
        dedicatedIps: false,
        baseFeeMicro: 0n,
      },
      by,
    );
    const tenant = await this.inApi(UnitOfWork).forSystem(async () => {
      const { id } = await this.inApi(TenantService).create({ name, planId }, by);
      await this.inApi(DomainService).add(id, [`${name}.example`], by);
      await this.inApi(PlacementService).placeTenant(id, by);
      return id;
    });
    await app.get(ProvisioningService).provision(tenant);
    return tenant;
  }

  /** Hands messages in and answers their ids. */
  async accept(
    tenant: TenantId,
    name: string,
    count: number,
    change: (i: number) => Partial<EmailInput> = () => ({}),
  ): Promise<MessageId[]> {
    const batch = randomUUID().slice(0, 8);
    const ids: MessageId[] = [];
    for (let from = 0; from < count; from += 500) {
      const emails = Array.from({ length: Math.min(500, count - from) }, (_, i): EmailInput => ({
        from: { email: `news@${name}.example` },
        to: [{ email: `r${String(from + i)}-${batch}@inbox.example` }],
        content: { inline: { subject: `Hello ${String(from + i)}`, text: 'Hello' } },
        stream: 'TRANSACTIONAL',
        ...change(from + i),
      }));
      const { results } = await this.inApi(AcceptService).accept(
        { tenantId: tenant, mode: 'LIVE' },
        { idempotencyKey: randomUUID(), emails },
      );
      for (const result of results) {
        if (!('message' in result)) throw new Error(JSON.stringify(result.issues));
        ids.push(result.message.id);
      }
    }
    return ids;
  }

  /** A statement with the engine's rights. */
  async query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const uow = (await this.idleWorker()).app.get(UnitOfWork);
    return uow.forSystem(() => uow.query<Row>(sql, parameters));
  }

  /** How many messages are in each state. */
  async states(tenant?: TenantId): Promise<Record<string, number>> {
    const rows = await this.query<{ state: string; count: number }>(
      'SELECT state, count(*)::int AS count FROM message WHERE $1::uuid IS NULL OR tenant_id = $1 GROUP BY state',
      [tenant ?? null],
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }

  /** Accepted sends, as the judge saw them. */
  async accepted(): Promise<Arrival[]> {
    return (await this.sends()).filter((arrival) => arrival.verdict === 'accepted');
  }

  async sends(): Promise<Arrival[]> {
    const all: Arrival[] = [];
    for await (const arrival of this.aws.allArrivals()) if (isSend(arrival)) all.push(arrival);
    return all;
  }

  /** Requests over quota and over rate by the meter that only counts. */
  async excess(): Promise<{ overQuota: number; overRate: number }> {
    const { overQuota, overRate } = await this.aws.summary();
    return { overQuota, overRate };
  }

  /** Lost and doubled messages among these, by the judge's arrival log. */
  async judge(ids: readonly MessageId[]): Promise<{ lost: number; duplicated: number }> {
    const times = new Map<string, number>();
    for (const { tags } of await this.accepted()) {
      const message = tags?.['message'] ?? '';
      times.set(message, (times.get(message) ?? 0) + 1);
    }
    return {
      lost: ids.filter((id) => !times.has(id)).length,
      duplicated: [...times.values()].filter((count) => count > 1).length,
    };
  }

  /** What a running worker does with the confirmations that SNS asked for; one that runs may be faster. */
  private async confirmSubscriptions(app: RunningWorker['app'], awsAccountId: AwsAccountId): Promise<void> {
    const isConfirmed = async () => {
      const rows = await this.query<{
        id: string;
        payload: { sendingAccountId: SendingAccountId; topicArn: string; token: string };
      }>('SELECT id, payload FROM outbox WHERE job = $1', [confirmSubscription.name]);
      for (const { id, payload } of rows) {
        await app.get(SubscriptionService).confirm(payload.sendingAccountId, payload.topicArn, payload.token);
        await this.query('DELETE FROM outbox WHERE id = $1', [id]);
      }
      const pending = 'SELECT FROM sending_account WHERE aws_account_id = $1 AND subscription_arn IS NULL';
      return (await this.query(pending, [awsAccountId])).length === 0;
    };
    await waitFor(isConfirmed, { what: 'SNS to ask for a confirmation and to get it' });
  }

  private idle: RunningWorker | undefined;

  /** Lends its services; never runs a job or a tick. */
  private async idleWorker(): Promise<RunningWorker> {
    this.idle ??= await this.createWorker();
    return this.idle;
  }

  private async receive(body: string): Promise<number> {
    if (this.webhookDown) return 503;
    try {
      await this.inApi(SnsWebhookService).receive(body);
      return 200;
    } catch (error) {
      return error instanceof SnsForged ? 403 : 503;
    }
  }
}
