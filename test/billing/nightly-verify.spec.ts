import { BillingModule, BillingPeriodsModule, NightlyVerify, NightlyVerifyModule, PeriodOverview } from '@libs/billing';
import { createDataSource } from '@libs/database';
import type { ManualClock } from '@libs/kernel';
import { Log, Metrics, ObservabilityModule } from '@libs/observability';
import type { TestingModule } from '@nestjs/testing';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { Books } from '../../tools/billing/books';
import { corrupt } from '../../tools/billing/corruptions';
import { writeMonth } from '../../tools/billing/generated-month';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis, type TestRedis } from '../support/redis';
import { assemble } from '../tenancy/api-process';

const PERIOD = '2026-10';

describe('the nightly judgement of the books', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let client: Client;
  let source: DataSource;
  const modules: TestingModule[] = [];
  const clocks: ManualClock[] = [];
  let errors: string[] = [];

  beforeEach(async () => {
    errors = [];
    [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    client = new Client({ connectionString: database.superuserUrl });
    await client.connect();
    await writeMonth(client, { period: PERIOD, tenants: 8, messages: 500, seed: 3 });
    const books = await Books.open(database.urls, redis.url, new Date('2026-11-04T00:00:00Z'));
    await books.seedRates();
    await books.take(PERIOD, 'PROVISIONAL');
    await books.close();
    source = await createDataSource({
      url: database.urls.worker,
      applicationName: 'test-worker',
      poolSize: 4,
      genericPlans: true,
    }).initialize();
  }, 120_000);
  afterEach(async () => {
    for (const module of modules.splice(0)) await module.close();
    clocks.splice(0);
    await source.destroy();
    await client.end();
    await redis.close();
    await database.drop();
  });

  const worker = async (metrics = new Metrics('test')) => {
    const log = new Log({ name: 'test', level: 'error', write: (line) => errors.push(line) });
    const { module, clock } = await assemble({ worker: source }, [
      ObservabilityModule.forRoot(log, metrics),
      BillingModule,
      BillingPeriodsModule,
      NightlyVerifyModule,
    ]);
    modules.push(module);
    clocks.push(clock);
    goTo('2026-11-05T02:59:00Z');
    return module;
  };
  const goTo = (time: string) => {
    for (const clock of clocks) clock.advance(new Date(time).getTime() - clock.now().getTime());
  };
  const judged = async (module: TestingModule) =>
    (await module.get(PeriodOverview).judged(PERIOD)).map(({ id, violations }) => [id, violations > 0n]);
  const all = (violated: bigint[] = []) =>
    Array.from({ length: 14 }, (_, index) => [BigInt(index + 1), violated.includes(BigInt(index + 1))]);

  it('is kept, once a night after three, whichever worker comes first', async () => {
    const [one, two] = [await worker(), await worker()];
    await one.get(NightlyVerify).judge();
    expect(await judged(one)).toEqual([]);
    goTo('2026-11-05T03:00:00Z');
    await Promise.all([one.get(NightlyVerify).judge(), two.get(NightlyVerify).judge()]);
    expect(await judged(one)).toEqual(all());
    expect(errors).toEqual([]);
    const at = () =>
      client.query('SELECT DISTINCT judged_at FROM billing_verdict').then(({ rows }) => rows as unknown[]);
    const first = await at();
    goTo('2026-11-06T02:00:00Z');
    await two.get(NightlyVerify).judge();
    expect(await at()).toEqual(first);
    goTo('2026-11-06T04:00:00Z');
    await two.get(NightlyVerify).judge();
    expect(await at()).not.toEqual(first);
  });

  it('alarms when something does not hold: in the log, as a metric of every worker, and to operators', async () => {
    await corrupt(client, 1, PERIOD);
    const metrics = new Metrics('test');
    const [one, two] = [await worker(), await worker(metrics)];
    goTo('2026-11-05T03:00:00Z');
    await one.get(NightlyVerify).judge();
    await two.get(NightlyVerify).judge();
    expect((await judged(one)).filter(([, violated]) => violated).map(([id]) => id)).toContain(1n);
    expect(errors.filter((line) => line.includes('"invariant":"1"'))).toHaveLength(1);
    const { text } = await metrics.render();
    expect(text).toMatch(/postfleet_billing_invariant_violated\{invariant="1",month="closed".*\} 1/);
    expect(text).toMatch(/postfleet_billing_invariant_violated\{invariant="11",month="closed".*\} 0/);
  });

  it('takes in what was settled since a day was counted, instead of calling it a mistake', async () => {
    const { rows } = await client.query<{ message_id: string; day: string }>(
      `SELECT message_id, (created_at AT TIME ZONE 'UTC')::date::text AS day FROM attempt
        WHERE mode = 'LIVE' AND state <> 'SENT' AND send_event_at IS NULL AND created_at > '2026-10-02' AND created_at < '2026-10-30' LIMIT 1`,
    );
    await client.query(`UPDATE usage_day SET in_doubt = 1, rolled_at = '2026-11-04T00:00:00Z' WHERE day = $1`, [
      rows[0]?.day,
    ]);
    await client.query(
      `UPDATE attempt SET state = 'SENT', ended_at = created_at, send_event_at = created_at WHERE message_id = $1`,
      [rows[0]?.message_id],
    );
    const one = await worker();
    goTo('2026-11-05T03:00:00Z');
    await one.get(NightlyVerify).judge();
    expect(await judged(one)).toEqual(all());
    expect((await client.query('SELECT 1 FROM usage_rollup WHERE revision > 0')).rows).not.toEqual([]);
  });
});
