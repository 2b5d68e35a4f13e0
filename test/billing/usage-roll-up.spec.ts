import { BillingModule, CostService, RateCardService, UsageRollUpService } from '@libs/billing';
import { createDataSource, UnitOfWork } from '@libs/database';
import type { ManualClock, TenantId } from '@libs/kernel';
import type { TestingModule } from '@nestjs/testing';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { fleetCosts } from '../../libs/billing/src/cost/fleet-costs.policy';
import { RateCards } from '../../libs/billing/src/rates/rate-card.policy';
import { RateRepository } from '../../libs/billing/src/rates/rate.repository';
import { UsageFactsService } from '../../libs/billing/src/usage/usage-facts.service';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { assemble } from '../tenancy/api-process';
import { FleetFactsWriter, type AccountFacts, type AttemptFacts } from './fleet-facts';

const HOUR = 3_600_000;
const DAY = '2026-11-20';
const at = (text: string) => new Date(`${text}Z`);
const sent = (time: string): AttemptFacts => ({ state: 'SENT', endedAt: at(time) });

describe('the usage of a day', () => {
  let database: TestDatabase;
  let sources: DataSource[];
  let module: TestingModule;
  let clock: ManualClock;
  let usage: UsageRollUpService;
  let costs: CostService;
  let write: FleetFactsWriter;
  let account: AccountFacts;
  let ann: TenantId;
  let bob: TenantId;

  beforeEach(async () => {
    database = await createTestDatabase();
    // As the worker's connections are: planned once, by keys.
    const worker = createDataSource({
      url: database.urls.worker,
      applicationName: 'test-worker',
      poolSize: 4,
      genericPlans: true,
    });
    const admin = createDataSource({ url: database.urls.admin, applicationName: 'test-admin', poolSize: 2 });
    sources = await Promise.all([worker.initialize(), admin.initialize()]);
    const seeding = await assemble({ admin }, [BillingModule]);
    await seeding.module.get(RateCardService).seed({ actor: 'test' });
    await seeding.module.close();
    ({ module, clock } = await assemble({ worker }, [BillingModule]));
    usage = module.get(UsageRollUpService);
    costs = module.get(CostService);
    write = await FleetFactsWriter.open(database.superuserUrl);
    account = await write.account({ createdAt: at('2026-11-19T08:00:00') });
    ann = await write.tenant();
    bob = await write.tenant();
  });
  afterEach(async () => {
    await write.close();
    await module.close();
    await Promise.all(sources.map((source) => source.destroy()));
    await database.drop();
  });

  const goTo = (time: string) => {
    clock.advance(at(time).getTime() - clock.now().getTime());
  };
  const booked = async (day = DAY) =>
    (
      await write.query(
        `SELECT revision, tenant_id, sku, hour, qty::text AS qty, period FROM usage_rollup WHERE day = $1 ORDER BY revision, sku, hour, qty, tenant_id NULLS FIRST`,
        [day],
      )
    ).rows;
  const of = (tenant: TenantId | null, sku: string, qty: bigint, more: object = {}) => ({
    revision: 0,
    tenant_id: tenant,
    sku,
    hour: -1,
    qty: qty.toString(),
    period: '2026-11',
    ...more,
  });

  it('is what SES accepted in it, by tenant, extra attempts apart, with a hash that says so', async () => {
    await write.message(ann, account, 3, [sent(`${DAY}T00:00:00`)]);
    await write.message(ann, account, 2, [sent(`${DAY}T12:00:00`), sent(`${DAY}T13:00:00`)]);
    await write.message(bob, account, 5, [sent(`${DAY}T23:59:59.999`)]);
    await write.message(bob, account, 7, [sent('2026-11-21T00:00:00')]);
    await write.message(bob, account, 9, [{ state: 'NOT_SENT', endedAt: at(`${DAY}T10:00:00`) }]);
    await write.message(bob, account, 9, [{ state: 'IN_DOUBT', endedAt: at(`${DAY}T10:00:00`) }]);
    const rolled = await usage.rollUp(DAY);
    expect(rolled).toMatchObject({ revision: 0n, attempts: 4n, recipients: 12n, inDoubt: 1n });
    expect(await booked()).toEqual([
      of(null, 'ses.recipient', 2n),
      of(ann, 'ses.recipient', 5n),
      of(bob, 'ses.recipient', 5n),
    ]);
    const again = await usage.rollUp(DAY);
    expect(again).toEqual({ ...rolled, rolledAt: clock.now() });
    expect(await booked()).toHaveLength(3);
  });

  it('has what comes to light later booked as a difference, up or down', async () => {
    await write.message(ann, account, 3, [{ state: 'IN_DOUBT', endedAt: at(`${DAY}T10:00:00`) }]);
    const twice = await write.message(bob, account, 4, [
      { state: 'IN_DOUBT', endedAt: at(`${DAY}T09:00:00`) },
      sent(`${DAY}T11:00:00`),
    ]);
    const first = await usage.rollUp(DAY);
    expect(await booked()).toEqual([of(bob, 'ses.recipient', 4n)]);
    // SES took both after all: the second attempt of bob's message becomes the platform's, the first one is his.
    await write.query(
      `UPDATE attempt SET state = 'SENT', ended_at = created_at, send_event_at = created_at WHERE state = 'IN_DOUBT'`,
    );
    const second = await usage.rollUp(DAY);
    expect(second).toMatchObject({ revision: 1n, recipients: 11n, inDoubt: 0n });
    expect(second.srcHash).not.toBe(first.srcHash);
    const next = { revision: 1 };
    expect(await booked()).toEqual([
      of(bob, 'ses.recipient', 4n),
      of(ann, 'ses.recipient', 3n, next),
      of(null, 'ses.recipient', 4n, next),
    ]);
    await write.query('DELETE FROM attempt WHERE message_id = $1', [twice]);
    await usage.rollUp(DAY);
    expect((await booked()).slice(3)).toEqual([
      of(null, 'ses.recipient', -4n, { revision: 2 }),
      of(bob, 'ses.recipient', -4n, { revision: 2 }),
    ]);
  });

  it('is billed in the month that is open when its own is final', async () => {
    goTo('2026-12-05T12:00:00');
    const late = '2026-11-28';
    await usage.rollUp(late);
    await write.query(`INSERT INTO billing_period (period, state, final_at) VALUES ('2026-11', 'FINAL', now())`);
    await write.message(ann, account, 6, [sent(`${late}T10:00:00`)]);
    await usage.rollUp(late);
    expect(await booked(late)).toEqual([of(ann, 'ses.recipient', 6n, { revision: 1, period: '2026-12' })]);
    expect((await costs.tenantCosts('2026-11')).fleetMicro).toBe(0n);
    expect((await costs.tenantCosts('2026-12')).tenants).toMatchObject([{ tenantId: ann, costMicro: 600n }]);
  });

  it('has the hours of its pools, of IPs and of accounts that changed their plan', async () => {
    const pool = await write.lane(account.id, 'POOL');
    const owned = await write.lane(account.id, 'POOL', bob);
    await write.ip(account.id, pool, at(`${DAY}T22:30:00`));
    await write.ip(account.id, owned, at(`${DAY}T23:00:00`), at(`${DAY}T23:30:00`));
    await write.message(ann, account, 3, [{ ...sent(`${DAY}T22:45:00`), lane: pool }]);
    await write.plan(account.id, 'PRO', at(`${DAY}T22:10:00`));
    await write.message(ann, account, 1, [sent(`${DAY}T05:00:00`)]);
    await usage.rollUp(DAY);
    expect(await booked()).toEqual([
      of(bob, 'ses.dedicated_ip_month', 1_800_000n),
      of(null, 'ses.dedicated_ip_month', 1_800_000n, { hour: 22 }),
      of(null, 'ses.dedicated_ip_month', 3_600_000n, { hour: 23 }),
      of(ann, 'ses.pool_recipient', 3n, { hour: 22 }),
      of(ann, 'ses.recipient', 1n, { hour: 5 }),
      of(ann, 'ses.recipient', 3n, { hour: 22 }),
    ]);
  });

  it('costs the same told in sums between changes of prices as told day by day, whatever changes in mid-day', async () => {
    const pool = await write.lane(account.id, 'POOL');
    const owned = await write.lane(account.id, 'POOL', bob);
    await write.ip(account.id, pool, at('2026-11-19T10:30:00'));
    await write.ip(account.id, owned, at('2026-11-19T12:00:00'));
    await write.plan(account.id, 'PRO', at(`${DAY}T22:10:00`));
    for (const time of ['2026-11-19T11:00:00', `${DAY}T21:00:00`, `${DAY}T22:30:00`, '2026-11-21T23:00:00']) {
      await write.message(ann, account, 3, [{ ...sent(time), lane: pool }]);
      await write.message(bob, account, 2, [sent(time)]);
    }
    const attempts = await costs.tenantCosts('2026-11');
    for (const day of ['2026-11-19', DAY, '2026-11-21']) await usage.rollUp(day);
    const facts = module.get(UsageFactsService, { strict: false });
    const [byPrice, byDay] = [await facts.facts('2026-11'), await facts.facts('2026-11', 'BY_DAY')];
    expect(byPrice.usage.length).toBeLessThan(byDay.usage.length);
    const rates = new RateCards(
      await module.get(UnitOfWork).forSystem(() => module.get(RateRepository, { strict: false }).all()),
    );
    expect(fleetCosts(byPrice, rates)).toEqual(fleetCosts(byDay, rates));
    expect(fleetCosts(byPrice, rates)).toEqual(attempts);
    // In the hour before the change ann had the pool alone, in the one in which it came, too; the others stood idle.
    const shared = attempts.lines.filter((line) => line.laneId === pool);
    expect(
      shared.map((line) => [line.pricingPlan, line.allocations.find((one) => one.bearer === ann)?.quantity]),
    ).toEqual([
      ['NONE', BigInt(2 * HOUR)],
      ['PRO', BigInt(2 * HOUR)],
    ]);
  });

  it('has every millisecond of every lease, in one place', async () => {
    const pool = await write.lane(account.id, 'POOL');
    const owned = await write.lane(account.id, 'POOL', bob);
    const start = at('2026-11-19T00:00:00').getTime();
    const leases = fc.sample(
      fc.record({
        lane: fc.constantFrom(pool, owned, null),
        from: fc.integer({ min: 0, max: 72 * HOUR - 2 }),
        ms: fc.integer({ min: 1, max: 90 * HOUR }),
      }),
      { numRuns: 20, seed: 3 },
    );
    let wanted = 0;
    for (const { lane, from, ms } of leases) {
      await write.ip(account.id, lane, new Date(start + from), new Date(start + from + ms));
      wanted += Math.min(from + ms, 72 * HOUR) - from;
    }
    await usage.rollUpThrough(clock.now());
    const [row] = (
      await write.query(
        `SELECT sum(qty)::text AS ms FROM usage_rollup WHERE sku = 'ses.dedicated_ip_month' AND day <= '2026-11-21'`,
      )
    ).rows;
    expect(row).toEqual({ ms: String(wanted) });
  });

  it('counts the bytes of attachments once for each recipient, and the deliveries of SNS', async () => {
    const id = await write.message(ann, account, 3, [sent(`${DAY}T10:00:00`), sent(`${DAY}T11:00:00`)]);
    await write.query('INSERT INTO message_attachment (tenant_id, message_id, bytes) VALUES ($1, $2, 1000)', [ann, id]);
    await write.query(
      `INSERT INTO event_delivery (day, sending_account_id, tenant_id, part, deliveries) VALUES ($1, $2, $3, 0, 5), ($1, $2, $3, 1, 6)`,
      [DAY, account.id, ann],
    );
    await usage.rollUp(DAY);
    expect((await booked()).filter((row) => row['sku'] !== 'ses.recipient')).toEqual([
      of(null, 'ses.attachment_gb', 3_000n),
      of(ann, 'ses.attachment_gb', 3_000n),
      of(ann, 'sns.delivery', 11n),
    ]);
  });

  it('is not counted before it has been over for two hours, nor when its attempts were dropped', async () => {
    goTo('2026-11-21T01:59:59.999');
    const early = async () => usage.rollUp(DAY);
    await expect(early()).rejects.toMatchObject({ issues: [{ code: 'INVALID_INPUT', path: ['day'] }] });
    await expect(async () => usage.rollUp('2026-02-30')).rejects.toMatchObject({ issues: [{ path: ['day'] }] });
    clock.advance(1);
    await usage.rollUp(DAY);
    await write.query(`INSERT INTO dropped_days (parent, before) VALUES ('attempt', '2026-11-13')`);
    await expect(usage.rollUp(DAY)).rejects.toMatchObject({ issues: [{ code: 'CONFLICT', path: ['day'] }] });
    await write.query(`UPDATE dropped_days SET before = '2026-11-12'`);
    await usage.rollUp(DAY);
  });

  it('is counted day after day, waits for events that came, and again when late facts may have come', async () => {
    goTo('2026-11-21T03:00:00');
    const through = () => usage.rollUpThrough(clock.now());
    await write.query(
      `INSERT INTO notification (id, sending_account_id, topic_arn, type, body, received_at, state)
       VALUES ('n', $1, 't', 'Notification', '{}', $2, 'STORED')`,
      [account.id, at(`${DAY}T23:00:00`)],
    );
    expect(await through()).toEqual(['2026-11-19']);
    await write.query(`UPDATE notification SET state = 'DONE'`);
    expect(await through()).toEqual([DAY]);
    expect(await through()).toEqual([]);
    clock.advance(24 * HOUR);
    expect(await through()).toEqual([DAY, '2026-11-21']);
    goTo('2026-11-29T00:00:00');
    expect((await through())[0]).toBe('2026-11-19');
    expect(await through()).toEqual([]);
  });

  it('is counted for every day of a month that is to be closed, events or not, and not before it is over', async () => {
    await write.query(
      `INSERT INTO notification (id, sending_account_id, topic_arn, type, body, received_at, state)
       VALUES ('n', $1, 't', 'Notification', '{}', $2, 'STORED')`,
      [account.id, at('2026-11-30T23:00:00')],
    );
    goTo('2026-12-01T01:00:00');
    await expect(usage.rollUpMonth('2026-11')).rejects.toMatchObject({ issues: [{ path: ['day'] }] });
    goTo('2026-12-01T02:00:00');
    expect((await usage.rollUpThrough(clock.now())).at(-1)).toBe('2026-11-29');
    const counted = await usage.rollUpMonth('2026-11');
    expect(counted.at(-1)).toBe('2026-11-30');
    expect(await usage.rollUpMonth('2026-11')).toEqual([]);
    expect((await write.query('SELECT count(*)::int AS n FROM usage_day')).rows).toEqual([{ n: 12 }]);
  });

  it('counts a month in which the fleet began, though retention has dropped the days before', async () => {
    await write.query('UPDATE sending_account SET created_at = $1', [at('2026-11-27T10:00:00')]);
    await write.query(`INSERT INTO dropped_days (parent, before) VALUES ('attempt', '2026-11-15')`);
    goTo('2026-12-03T12:00:00');
    expect(await usage.rollUpMonth('2026-11')).toEqual(['2026-11-27', '2026-11-28', '2026-11-29', '2026-11-30']);
  });

  it('keeps the attempts that are still needed: of days not counted, and of months not final', async () => {
    const needed = () => usage.attemptsNeededFrom(clock.now());
    expect(await needed()).toBe('2026-11-11');
    await usage.rollUpThrough(clock.now());
    expect(await needed()).toBe('2026-11-11');
    goTo('2026-12-03T12:00:00');
    await usage.rollUpThrough(clock.now());
    await write.query(`INSERT INTO billing_period (period, state, final_at) VALUES ('2026-11', 'FINAL', now())`);
    expect(await needed()).toBe('2026-11-23');
    await write.query('DELETE FROM usage_day WHERE day = $1', [DAY]);
    expect(await needed()).toBe('2026-11-12');
  });

  it('is shown to its tenant the same before it is counted and after, and priced by the plan of its time', async () => {
    await write.plan(account.id, 'PRO', at(`${DAY}T12:30:00`));
    await write.message(ann, account, 10, [sent('2026-11-19T09:00:00')]);
    await write.message(ann, account, 1, [sent(`${DAY}T11:59:00`), sent(`${DAY}T12:59:00`)]);
    await write.message(ann, account, 2, [sent(`${DAY}T12:00:00`)]);
    await write.message(ann, account, 4, [sent('2026-11-22T11:00:00')]);
    await write.message(bob, account, 50, [sent(`${DAY}T12:00:00`)]);
    const of = (from: string, to: string) => costs.usage(ann, at(from), at(to));
    const whole = { recipients: 17n, chargeMicro: 11n * 100n + 6n * 220n };
    const part = { recipients: 3n, chargeMicro: 100n + 2n * 220n };
    const both = async () => [
      await of('2026-11-01T00:00:00', '2026-12-01T00:00:00'),
      await of(`${DAY}T01:00:00`, `${DAY}T23:00:00`),
    ];
    expect(await both()).toEqual([whole, part]);
    expect(await usage.rollUpThrough(clock.now())).toEqual(['2026-11-19', DAY, '2026-11-21']);
    expect(await both()).toEqual([whole, part]);
    await write.query('DELETE FROM attempt WHERE created_at < $1', [at(`${DAY}T00:00:00`)]);
    expect(await both()).toEqual([whole, part]);
  });

  it('is the same whatever the order of facts and counts, and costs the same before it is counted and after', async () => {
    const pool = await write.lane(account.id, 'POOL');
    await write.ip(account.id, pool, at('2026-11-19T10:20:00'));
    await write.plan(account.id, 'ESSENTIALS', at(`${DAY}T12:30:00`));
    const times = [
      '2026-11-19T23:59:59.999',
      `${DAY}T00:00:00`,
      `${DAY}T12:29:00`,
      `${DAY}T12:31:00`,
      `${DAY}T23:00:00`,
    ];
    const facts = fc.sample(
      fc.record({
        tenant: fc.constantFrom(ann, bob),
        recipients: fc.integer({ min: 1, max: 50 }),
        attempts: fc.array(
          fc.record({
            state: fc.constantFrom('SENT', 'NOT_SENT', 'IN_DOUBT', 'REJECTED'),
            endedAt: fc.constantFrom(...times).map(at),
            pooled: fc.boolean(),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        countNow: fc.boolean(),
        settleNow: fc.boolean(),
      }),
      { numRuns: 40, seed: 11 },
    );
    for (const { tenant, recipients, attempts, countNow, settleNow } of facts) {
      await write.message(
        tenant,
        account,
        recipients,
        attempts.map(({ pooled, ...attempt }) => ({ ...attempt, ...(pooled ? { lane: pool } : {}) })),
      );
      if (countNow) await usage.rollUp(DAY);
      if (settleNow) {
        await write.query(
          `UPDATE attempt SET state = 'SENT', send_event_at = created_at WHERE state = 'IN_DOUBT' AND n_rcpt > 20`,
        );
      }
    }
    const rolled = await usage.rollUp(DAY);
    expect(rolled.revision).toBeGreaterThan(3n);
    const sums = `SELECT tenant_id, sending_account_id, lane_id, sku, hour, sum(qty)::text AS qty FROM usage_rollup
      WHERE day = '${DAY}' GROUP BY 1, 2, 3, 4, 5 HAVING sum(qty) <> 0 ORDER BY 1, 2, 3, 4, 5`;
    const inPieces = (await write.query(sums)).rows;
    const after = await costs.tenantCosts('2026-11');
    await write.query('DELETE FROM usage_rollup');
    await write.query('DELETE FROM usage_day');
    const before = await costs.tenantCosts('2026-11');
    expect(after).toEqual(before);
    expect(after.lines.length).toBeGreaterThan(3);
    expect(await usage.rollUp(DAY)).toMatchObject({ revision: 0n, srcHash: rolled.srcHash });
    expect((await write.query(sums)).rows).toEqual(inPieces);
  });
});
