import { InvoicingModule, PaymentHandover, type InvoiceEvent, type InvoicingOptions } from '@libs/billing';
import { createDataSource, UnitOfWork } from '@libs/database';
import { newId, type ManualClock, type PlanId, type TenantId } from '@libs/kernel';
import { QueueingModule } from '@libs/queueing';
import type { DynamicModule, Type } from '@nestjs/common';
import type { TestingModule } from '@nestjs/testing';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis, type TestRedis } from '../support/redis';
import { assemble } from '../tenancy/api-process';

export const invoicing: InvoicingOptions = {
  seller: {
    name: 'Postfleet Operations Ltd',
    address: ['1 Harbour Street', 'Dublin D01 X2P3', 'Ireland'],
    taxId: 'IE 1234567 T',
    email: 'billing@postfleet.example',
    note: 'Please pay by bank transfer and name the invoice.',
  },
  dueAt: (issuedAt) => new Date(issuedAt.getTime() + 14 * 86_400_000),
};

export const LONG_AGO = new Date('2026-01-01T00:00:00Z');

interface Terms {
  readonly baseFeeMicro?: bigint;
  readonly includedRecipients?: bigint;
  readonly dedicatedIpFeeMicro?: bigint;
  readonly minimumMicro?: bigint;
  readonly tiers?: readonly (readonly [from: bigint, amountMicro: bigint, perUnits: bigint])[];
}

/** Who collects money: keeps what it was told, and refuses while `failing`. */
export class PaymentsOfTheTest extends PaymentHandover {
  readonly told: InvoiceEvent[] = [];
  failing = false;

  deliver(event: InvoiceEvent): Promise<void> {
    if (this.failing) return Promise.reject(new Error('the provider is down'));
    this.told.push(event);
    return Promise.resolve();
  }
}

/** Invoicing as the worker and the api have it, on a database and a Redis of their own. */
export class InvoicingProcess {
  private serial = 0;

  private constructor(
    readonly payments: PaymentsOfTheTest,
    readonly database: TestDatabase,
    readonly superuser: Client,
    readonly worker: TestingModule,
    readonly api: TestingModule,
    private readonly clocks: readonly ManualClock[],
    private readonly redis: TestRedis,
    private readonly sources: readonly DataSource[],
  ) {}

  /** @param more modules of both processes beside invoicing */
  static async start(more: readonly (Type | DynamicModule)[] = []): Promise<InvoicingProcess> {
    const [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    const open = (url: string, applicationName: string, genericPlans = false) =>
      createDataSource({ url, applicationName, poolSize: 4, genericPlans }).initialize();
    const [app, admin, engine] = await Promise.all([
      open(database.urls.app, 'test-app'),
      open(database.urls.admin, 'test-admin'),
      open(database.urls.worker, 'test-worker', true),
    ]);
    const payments = new PaymentsOfTheTest();
    const modules = () => [
      QueueingModule.forRoot({ redisUrl: redis.url }),
      InvoicingModule.forRoot(invoicing, payments),
      ...more,
    ];
    const worker = await assemble({ worker: engine }, modules());
    const api = await assemble({ app, admin }, modules());
    const superuser = new Client({ connectionString: database.superuserUrl });
    await superuser.connect();
    return new InvoicingProcess(
      payments,
      database,
      superuser,
      worker.module,
      api.module,
      [worker.clock, api.clock],
      redis,
      [app, admin, engine],
    );
  }

  async close(): Promise<void> {
    await this.superuser.end();
    await Promise.all([this.worker.close(), this.api.close()]);
    await Promise.all(this.sources.map((source) => source.destroy()));
    await this.redis.close();
    await this.database.drop();
  }

  /** In both processes. */
  moveTo(time: string): void {
    for (const clock of this.clocks) clock.advance(new Date(time).getTime() - clock.now().getTime());
  }

  inWorker<T>(service: abstract new (...args: never[]) => T): T {
    return this.worker.get(service);
  }

  inApi<T>(service: abstract new (...args: never[]) => T): T {
    return this.api.get(service);
  }

  /** A statement with the rights of the engine. */
  asWorker<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const uow = this.inWorker(UnitOfWork);
    return uow.forSystem(() => uow.query<Row>(sql, parameters));
  }

  async query(sql: string, parameters: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.superuser.query<Record<string, unknown>>(sql, parameters)).rows;
  }

  async plan(name: string, terms: Terms, from = LONG_AGO): Promise<PlanId> {
    const id = newId<PlanId>();
    this.serial += 1;
    await this.query(
      `INSERT INTO plan (id, code, name, tier, streams, weight, created_at) VALUES ($1, $2, $3, 'free', '{MARKETING}', 1, $4)`,
      [id, `p${this.serial}`, name, from],
    );
    await this.price(id, terms, from);
    return id;
  }

  /** Another version from that time on. */
  async price(plan: PlanId, terms: Terms, from: Date): Promise<void> {
    await this.query('UPDATE plan_price SET valid_to = $2 WHERE plan_id = $1 AND valid_to IS NULL', [plan, from]);
    const [row] = await this.query(
      `INSERT INTO plan_price (plan_id, valid_from, base_fee_micro, included_recipients, dedicated_ip_fee_micro, minimum_micro, monotone, source)
       VALUES ($1, $2, $3, $4, $5, $6, true, 'test') RETURNING id`,
      [
        plan,
        from,
        terms.baseFeeMicro ?? 0n,
        terms.includedRecipients ?? 0n,
        terms.dedicatedIpFeeMicro ?? 0n,
        terms.minimumMicro ?? 0n,
      ],
    );
    for (const tier of terms.tiers ?? []) {
      await this.query('INSERT INTO plan_price_tier VALUES ($1, $2, $3, $4)', [row?.['id'], ...tier]);
    }
  }

  async tenant(plan: PlanId, name = 'Northwind Bank', from = LONG_AGO): Promise<TenantId> {
    const id = newId<TenantId>();
    await this.query(`INSERT INTO tenant (id, name, plan_id, state, created_at) VALUES ($1, $2, $3, 'ACTIVE', $4)`, [
      id,
      name,
      plan,
      from,
    ]);
    await this.query('INSERT INTO tenant_plan (tenant_id, plan_id, valid_from) VALUES ($1, $2, $3)', [id, plan, from]);
    return id;
  }

  async changePlan(tenant: TenantId, plan: PlanId, at: Date): Promise<void> {
    await this.query('UPDATE tenant_plan SET valid_to = $2 WHERE tenant_id = $1 AND valid_to IS NULL', [tenant, at]);
    await this.query('INSERT INTO tenant_plan (tenant_id, plan_id, valid_from) VALUES ($1, $2, $3)', [
      tenant,
      plan,
      at,
    ]);
  }

  /** Rolled-up usage of a day. */
  async used(tenant: TenantId, day: string, recipients: bigint, ipMs = 0n, period = day.slice(0, 7)): Promise<void> {
    for (const [sku, qty] of [
      ['ses.recipient', recipients],
      ['ses.dedicated_ip_month', ipMs],
      ['ses.pool_recipient', recipients],
    ] as const) {
      if (qty === 0n) continue;
      await this.query(
        `INSERT INTO usage_rollup (day, revision, tenant_id, sending_account_id, sku, hour, qty, booked_at, period)
         VALUES ($1, 0, $2, gen_random_uuid(), $3, $4, $5, $6, $7)`,
        [day, tenant, sku, sku === 'ses.pool_recipient' ? 7 : -1, qty, LONG_AGO, period],
      );
    }
  }
}
