import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  BillImportService,
  BillingCloseModule,
  BillingModule,
  BillingPeriodsModule,
  CloseFailpoints,
  CloseService,
  InvoicingModule,
  PeriodService,
  RateCardService,
  UsageRollUpService,
  VerifyModule,
  VerifyService,
  type BillToImport,
  type CloseGoal,
} from '@libs/billing';
import { createDataSource } from '@libs/database';
import type { ManualClock } from '@libs/kernel';
import { Log, Metrics, ObservabilityModule } from '@libs/observability';
import { QueueingModule } from '@libs/queueing';
import type { TestingModule } from '@nestjs/testing';
import { assemble, NOON, startApiProcess, type ApiProcess } from '../tenancy/api-process';
import { createTestRedis, type TestRedis } from '../support/redis';
import { FleetFactsWriter } from './fleet-facts';
import { invoicing } from './invoicing-process';

export const by = { actor: 'operator:test' };
export const PAYER = '999999999999';

/** The api and a worker on one database, as far as months are concerned. */
export class BillingProcesses {
  private readonly modules: TestingModule[] = [];
  readonly logged: string[] = [];
  /** Of the worker started last. */
  metrics = new Metrics('test');
  readonly folder = mkdtempSync(path.join(tmpdir(), 'postfleet-billing-'));

  private constructor(
    readonly api: ApiProcess,
    readonly write: FleetFactsWriter,
    private readonly workerPool: ReturnType<typeof createDataSource>,
    readonly redis: TestRedis,
  ) {}

  static async start(): Promise<BillingProcesses> {
    const log = new Log({ name: 'test', level: 'silent' });
    const api = await startApiProcess([
      ObservabilityModule.forRoot(log, new Metrics('test')),
      BillingModule,
      BillingPeriodsModule,
      VerifyModule,
    ]);
    await api.module.get(RateCardService).seed(by);
    const pool = createDataSource({ url: api.database.urls.worker, applicationName: 'test-worker', poolSize: 4 });
    await pool.initialize();
    return new BillingProcesses(
      api,
      await FleetFactsWriter.open(api.database.superuserUrl),
      pool,
      await createTestRedis(),
    );
  }

  async close(): Promise<void> {
    await this.write.close();
    for (const module of this.modules) await module.close();
    await this.workerPool.destroy();
    await this.redis.close();
    await this.api.close();
    rmSync(this.folder, { recursive: true });
  }

  /** A worker that dies, or throws, where the failpoints say. */
  async worker(failpoints = new CloseFailpoints()): Promise<CloseService> {
    const log = new Log({ name: 'test', level: 'info', write: (line) => this.logged.push(line) });
    this.metrics = new Metrics('test');
    const { module, clock } = await assemble({ worker: this.workerPool }, [
      ObservabilityModule.forRoot(log, this.metrics),
      QueueingModule.forRoot({ redisUrl: this.redis.url }),
      BillingCloseModule.forRoot({ invoicing: InvoicingModule.forRoot(invoicing), failpoints }),
    ]);
    this.modules.push(module);
    this.follow(clock);
    return module.get(CloseService);
  }

  /** Counts a day again, as the worker does while facts still come. */
  async rollUp(day: string): Promise<void> {
    await this.worker();
    await this.modules.at(-1)!.get(UsageRollUpService, { strict: false }).rollUp(day);
  }

  get periods(): PeriodService {
    return this.api.module.get(PeriodService);
  }

  /** What is wrong with the books of a month. */
  async wrong(period: string): Promise<string[]> {
    const verdicts = await this.api.module.get(VerifyService).verify(period);
    return verdicts.flatMap(({ id, examples }) => examples.map((example) => `${String(id)}: ${example}`));
  }

  /** Asks for it and does it. */
  async take(period: string, goal: CloseGoal, options: { withoutBill?: boolean } = {}) {
    await this.periods.ask(period, goal, by, options);
    return (await this.worker()).run(period);
  }

  import(contents: string | Buffer, more: Partial<BillToImport> & { period: string }, name = 'bill.csv') {
    const file = path.join(this.folder, name);
    writeFileSync(file, contents);
    return this.api.module.get(BillImportService).import({ files: [file], payer: PAYER, ...more }, by);
  }

  goTo(moment: string): void {
    this.api.clock.advance(new Date(moment).getTime() - this.api.clock.nowMs());
  }

  /** Whether a statement waits for a row or a lock of another one. */
  async someoneWaits(): Promise<boolean> {
    const { rows } = await this.write.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  }

  async sums(period: string): Promise<{ ours: bigint; deltas: bigint; borne: bigint }> {
    const { rows } = await this.write.query(
      `SELECT coalesce(sum(cost_micro) FILTER (WHERE source = 'PROVISIONAL'), 0)::text AS ours,
              coalesce(sum(cost_micro) FILTER (WHERE source <> 'PROVISIONAL'), 0)::text AS deltas,
              coalesce((SELECT sum(amount_micro) FROM allocation share JOIN fleet_line l ON l.id = share.fleet_line_id
                         WHERE l.period = $1), 0)::text AS borne
         FROM fleet_line WHERE period = $1`,
      [period],
    );
    const [row] = rows as { ours: string; deltas: string; borne: string }[];
    return { ours: BigInt(row!.ours), deltas: BigInt(row!.deltas), borne: BigInt(row!.borne) };
  }

  /** Everything stored of a month that a second close must leave as it is: no ids, no times. */
  async contents(period: string): Promise<{ lines: unknown; period: unknown }> {
    const { rows } = await this.write.query(
      `SELECT l.no, l.source, l.aws_account, l.sku, l.quantity::text AS quantity, l.cost_micro::text AS cost, l.reason,
              l.rate_ids::text AS rates, of.no AS delta_of,
              (SELECT jsonb_agg(jsonb_build_array(share.bearer, share.tenant_id, share.weight::text, share.amount_micro::text)
                                ORDER BY share.bearer, share.tenant_id) FROM allocation share WHERE share.fleet_line_id = l.id) AS shares
         FROM fleet_line l LEFT JOIN fleet_line of ON of.id = l.delta_of
        WHERE l.period = $1 ORDER BY l.source, l.no`,
      [period],
    );
    const periods = await this.write.query(
      'SELECT period, state, input_hash, goal, step FROM billing_period WHERE period = $1',
      [period],
    );
    return { lines: rows, period: periods.rows };
  }

  /** A bill that says what our lines say, unless told otherwise, line by line. */
  async bill(
    period: string,
    change: (line: BillCells, index: number) => BillCells[] = (line) => [line],
  ): Promise<string> {
    const { rows } = await this.write.query(
      `SELECT aws_account AS account, region, usage_type AS usage, quantity::text AS quantity, cost_micro::text AS cost, sku
         FROM fleet_line WHERE period = $1 AND source = 'PROVISIONAL' AND charge_class IS NULL ORDER BY no`,
      [period],
    );
    const lines = (rows as unknown as (BillCells & { sku: string })[]).flatMap((row, index) =>
      change(
        {
          ...row,
          quantity: row.sku === 'ses.dedicated_ip_month' ? hours(row.quantity) : row.quantity,
          cost: dollars(BigInt(row.cost)),
          type: 'Usage',
        },
        index,
      ),
    );
    return cur(period, lines);
  }

  private follow(clock: ManualClock): void {
    clock.advance(this.api.clock.nowMs() - NOON.getTime());
  }
}

export interface BillCells {
  account: string;
  region: string;
  usage: string;
  quantity: string;
  /** Dollars. */
  cost: string;
  type: string;
}

const HEADER =
  'bill/PayerAccountId,bill/BillingPeriodStartDate,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/ProductCode,' +
  'lineItem/UsageType,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedCost,product/region';

export function cur(period: string, lines: readonly BillCells[], payer = PAYER): string {
  const text = lines.map((line) =>
    [
      payer,
      `${period}-01T00:00:00Z`,
      line.account,
      line.type,
      /^(Delivery|Requests)/.test(line.usage) ? 'AmazonSNS' : 'AmazonSES',
      line.usage,
      line.quantity,
      'USD',
      line.cost,
      line.region,
    ].join(','),
  );
  return [HEADER, ...text, ''].join('\n');
}

export function dollars(micro: bigint): string {
  const magnitude = micro < 0n ? -micro : micro;
  return `${micro < 0n ? '-' : ''}${String(magnitude / 1_000_000n)}.${String(magnitude % 1_000_000n).padStart(6, '0')}0000`;
}

/** Exact to the tenth decimal, as AWS writes it. */
function hours(ms: string): string {
  const tenBillionths = (BigInt(ms) * 10n ** 10n) / 3_600_000n;
  return `${String(tenBillionths / 10n ** 10n)}.${String(tenBillionths % 10n ** 10n).padStart(10, '0')}`;
}
