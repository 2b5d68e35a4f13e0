import { randomUUID } from 'node:crypto';
import { AwsModule } from '@libs/aws';
import { createDataSource, DatabaseModule, UnitOfWork, type Pools } from '@libs/database';
import {
  AccountVerification,
  AwsAccountService,
  confirmSubscription,
  FleetEngineModule,
  FleetModule,
  managePermissions,
  SendingAccountService,
  sendPermissions,
  trustPolicy,
  verifyAwsAccount,
  type AwsAccount,
  type NewAwsAccount,
  type SendingAccount,
} from '@libs/fleet';
import { EngineClock, ManualClock, type TenantId } from '@libs/kernel';
import { moveTenant, placementChanged, PlacementEngineModule, PlacementModule, provisionTenant } from '@libs/placement';
import { PlanService, PlansModule, type NewPlan, type Plan } from '@libs/plans';
import { QueueingModule } from '@libs/queueing';
import { TenancyModule, TenantService } from '@libs/tenancy';
import type { DynamicModule, Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { DataSource } from 'typeorm';
import { SimulatorAdminClient, startSimulator, type RunningSimulator } from '../../apps/simulator/src';
import { ClockModule } from '../support/clock.module';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis, type TestRedis } from '../support/redis';

export const by = { actor: 'operator:test' };
const HUB = '999900000000';
const HUB_ARN = `arn:aws:iam::${HUB}:user/postfleet-hub`;
const WEBHOOK_ORIGIN = 'http://127.0.0.1:9';
const JOBS = [verifyAwsAccount, confirmSubscription, provisionTenant, moveTenant, placementChanged];

export interface Job {
  readonly job: string;
  readonly payload: Readonly<Record<string, string>>;
}

/** The api and the worker as they are, on a database, a Redis and an AWS (the simulator) of their own. */
export class FleetProcesses {
  private constructor(
    readonly database: TestDatabase,
    private readonly redis: TestRedis,
    readonly simulator: RunningSimulator,
    readonly aws: SimulatorAdminClient,
    readonly clock: ManualClock,
    private readonly api: TestingModule,
    private readonly worker: TestingModule,
    private readonly sources: readonly DataSource[],
  ) {}

  static async start(options: { verifyDelayMs?: number; publicUrl?: string } = {}): Promise<FleetProcesses> {
    const [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    const simulator = await startSimulator({ verifyDelayMs: options.verifyDelayMs ?? 0, snsRetryDelaysMs: [] });
    const aws = new SimulatorAdminClient(simulator.adminUrl);
    const keys = { accessKeyId: 'AKIAPOSTFLEETHUB0001', secretAccessKey: randomUUID() };
    await aws.putAccount(HUB, { users: [{ ...keys, userName: 'postfleet-hub', admin: true }] });
    const open = async (url: string, applicationName: string) => {
      const source = createDataSource({ url, applicationName, poolSize: 4 });
      return source.initialize();
    };
    const [app, admin, engine] = await Promise.all([
      open(database.urls.app, 'test-app'),
      open(database.urls.admin, 'test-admin'),
      open(database.urls.worker, 'test-worker'),
    ]);
    const clock = new ManualClock(Date.UTC(2026, 10, 22, 12));
    const shared = [TenancyModule, PlansModule, FleetModule, FleetModule.forRoot(), PlacementModule];
    const process = (pools: Pools, imports: readonly (Type | DynamicModule)[]) =>
      Test.createTestingModule({
        imports: [
          DatabaseModule.forRoot(pools),
          ClockModule.of(new EngineClock(clock)),
          QueueingModule.forRoot({ redisUrl: redis.url }),
          ...imports,
        ],
      }).compile();
    const api = await process({ app, admin }, shared);
    const worker = await process({ worker: engine }, [
      ...shared,
      AwsModule.forRoot({
        endpoint: simulator.endpoint,
        testEndpoint: simulator.endpoint,
        credentials: keys,
        testCredentials: keys,
        hubRegion: 'us-east-1',
        controlIntervalMs: 0,
      }),
      FleetEngineModule.forRoot({ publicUrl: options.publicUrl ?? WEBHOOK_ORIGIN }),
      PlacementEngineModule,
    ]);
    await Promise.all([api.init(), worker.init()]);
    return new FleetProcesses(database, redis, simulator, aws, clock, api, worker, [app, admin, engine]);
  }

  async close(): Promise<void> {
    await Promise.all([this.api.close(), this.worker.close()]);
    await Promise.all(this.sources.map((source) => source.destroy()));
    await this.simulator.close();
    await this.redis.close();
    await this.database.drop();
  }

  inApi<T>(service: abstract new (...args: never[]) => T): T {
    return this.api.get(service);
  }

  inWorker<T>(service: abstract new (...args: never[]) => T): T {
    return this.worker.get(service);
  }

  /** A statement with the operators' or the engine's rights. */
  query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const uow = this.inWorker(UnitOfWork);
    return uow.forSystem(() => uow.query<Row>(sql, parameters));
  }

  /** Who did that, in order, by the audit log. */
  async audited(action: string): Promise<string[]> {
    const uow = this.inApi(UnitOfWork);
    const sql = 'SELECT actor FROM audit_log WHERE action = $1 ORDER BY at, id';
    return (await uow.forSystem(() => uow.query<{ actor: string }>(sql, [action]))).map(({ actor }) => actor);
  }

  /** What the outbox holds, oldest first; empties it. */
  async takeJobs(): Promise<Job[]> {
    const rows = await this.query<Job>('SELECT job, payload FROM outbox ORDER BY id');
    await this.query('DELETE FROM outbox');
    expect(rows.every(({ job }) => JOBS.some(({ name }) => name === job))).toBe(true);
    return rows;
  }

  /** Makes the account's roles at AWS exactly as its templates say. */
  async grantRoles(account: AwsAccount, region: Record<string, RegionState> = {}): Promise<void> {
    const trust = trustPolicy(HUB_ARN, account.externalId);
    const healthy = { max24HourSend: 50_000, maxSendRate: 14, productionAccess: true };
    await this.aws.putAccount(account.accountId, {
      regions: Object.fromEntries(account.regions.map((name) => [name, { ...healthy, ...region[name] }])),
      roles: [
        { arn: account.sendRoleArn, trustPolicy: trust, permissionPolicy: sendPermissions(account.accountId) },
        { arn: account.manageRoleArn, trustPolicy: trust, permissionPolicy: managePermissions(account.accountId) },
      ],
    });
  }

  /** An account that has joined: registered, granted and verified. */
  async join(input: Partial<NewAwsAccount> & { accountId: string }, region: RegionState = {}): Promise<SendingAccount> {
    const account = await this.register(input);
    const regions = Object.fromEntries(account.regions.map((name) => [name, region]));
    await this.grantRoles(account, regions);
    const { ips } = region;
    for (const name of ips === undefined ? [] : account.regions) {
      await this.aws.leaseIps(account.accountId, name, { ips: [...(ips ?? [])] });
    }
    const verified = await this.inWorker(AccountVerification).verify(account.id);
    expect(verified).toMatchObject({ state: 'ACTIVE', failure: null });
    const { rows } = await this.inApi(SendingAccountService).list({ limit: 10 }, { awsAccountId: account.id });
    return rows[0]!;
  }

  register(input: Partial<NewAwsAccount> & { accountId: string }): Promise<AwsAccount> {
    return this.inApi(AwsAccountService).register(
      { name: 'Account', tier: 'growth', regions: ['us-east-1'], ...input },
      by,
    );
  }

  plan(input: Partial<NewPlan> = {}): Promise<Plan> {
    const plan: NewPlan = {
      code: `plan-${randomUUID().slice(0, 8)}`,
      name: 'Plan',
      tier: 'growth',
      streams: ['TRANSACTIONAL', 'MARKETING'],
      weight: 10,
      recipientsPerDay: 10_000n,
      recipientsPerSecond: null,
      dedicatedIps: false,
      baseFeeMicro: 0n,
      ...input,
    };
    return this.inApi(PlanService).create(plan, by);
  }

  async tenant(plan: Plan): Promise<TenantId> {
    return (await this.inApi(TenantService).create({ name: 'Tenant', planId: plan.id }, by)).id;
  }
}

interface RegionState {
  readonly max24HourSend?: number;
  readonly maxSendRate?: number;
  readonly productionAccess?: boolean;
  readonly sendingEnabled?: boolean;
  readonly enforcementStatus?: 'HEALTHY' | 'PROBATION' | 'SHUTDOWN';
  readonly suspended?: boolean;
  readonly ips?: readonly string[];
}
