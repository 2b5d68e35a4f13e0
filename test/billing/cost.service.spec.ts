import { BillingModule, CostService, EstimateService, RateCardService, type FleetCosts } from '@libs/billing';
import type { MessageId, TenantId } from '@libs/kernel';
import fc from 'fast-check';
import { NOON, startApiProcess, type ApiProcess } from '../tenancy/api-process';
import { FleetFactsWriter, type AccountFacts, type AttemptFacts } from './fleet-facts';

const sent: AttemptFacts = { state: 'SENT' };
const month = { start: new Date('2026-11-01T00:00:00Z'), end: new Date('2026-12-01T00:00:00Z') };
const HOUR = 3_600_000;

describe('the cost of a month', () => {
  let process: ApiProcess;
  let costs: CostService;
  let write: FleetFactsWriter;
  let account: AccountFacts;
  let ann: TenantId;
  let bob: TenantId;

  beforeEach(async () => {
    process = await startApiProcess([BillingModule]);
    costs = process.module.get(CostService);
    await process.module.get(RateCardService).seed({ actor: 'test' });
    write = await FleetFactsWriter.open(process.database.superuserUrl);
    account = await write.account();
    ann = await write.tenant();
    bob = await write.tenant();
  });
  afterEach(async () => {
    await write.close();
    await process.close();
  });

  const of = (found: FleetCosts, tenant: TenantId) => found.tenants.find((one) => one.tenantId === tenant);
  const addsUp = (found: FleetCosts) => {
    const tenants = found.tenants.reduce((sum, tenant) => sum + tenant.costMicro, 0n);
    expect(tenants + found.idleMicro + found.platformMicro).toBe(found.fleetMicro);
  };

  it('is 100 micro-dollars for each recipient that SES accepted', async () => {
    await write.message(ann, account, 50, [sent]);
    await write.message(ann, account, 1, [{ state: 'NOT_SENT' }, sent]);
    await write.message(bob, account, 3, [sent]);
    const found = await costs.tenantCosts('2026-11');
    expect(of(found, ann)).toMatchObject({ costMicro: 5_100n, recipients: 51n });
    expect(of(found, bob)).toMatchObject({ costMicro: 300n, recipients: 3n });
    expect(found).toMatchObject({ period: '2026-11', fleetMicro: 5_400n, idleMicro: 0n, platformMicro: 0n });
    expect(of(found, ann)?.lines[0]).toMatchObject({
      sku: 'ses.recipient',
      unit: 'recipient',
      rateIds: [expect.anything()],
    });
    addsUp(found);
  });

  it('counts nothing that was not accepted, or only in test mode, or through the simulator', async () => {
    await write.message(ann, account, 7, [{ state: 'REJECTED' }]);
    await write.message(ann, account, 7, [{ state: 'NOT_SENT' }]);
    await write.message(ann, account, 7, [{ state: 'IN_DOUBT' }]);
    await write.message(ann, account, 7, [{ state: 'INTENT', endedAt: null }]);
    await write.message(ann, account, 7, [sent], 'TEST');
    const simulator = await write.account({ mode: 'TEST', pricingPlan: 'PRO' });
    await write.message(ann, simulator, 7, [sent], 'TEST');
    await write.ip(simulator.id, null, month.start);
    const found = await costs.tenantCosts('2026-11');
    expect(found).toMatchObject({ fleetMicro: 0n, idleMicro: 0n, platformMicro: 0n, tenants: [], lines: [] });
    await expect(costs.usage(ann, month.start, month.end)).resolves.toEqual({ recipients: 0n, chargeMicro: 0n });
  });

  it('counts what its Send event proves, whatever was recorded', async () => {
    await write.message(ann, account, 2, [{ state: 'IN_DOUBT', sendEventAt: NOON }]);
    await write.message(ann, account, 3, [{ state: 'REJECTED', sendEventAt: NOON }]);
    await write.message(ann, account, 4, [{ state: 'NOT_SENT', sendEventAt: NOON, endedAt: null }]);
    await write.message(ann, account, 5, [{ state: 'SENT', endedAt: null }]);
    expect(of(await costs.tenantCosts('2026-11'), ann)).toMatchObject({ recipients: 14n, costMicro: 1_400n });
  });

  it('charges a message once to its tenant and further accepted attempts to the platform', async () => {
    await write.message(ann, account, 10, [sent, sent, { state: 'NOT_SENT' }, sent]);
    await write.message(ann, account, 5, [{ state: 'IN_DOUBT', sendEventAt: NOON }, sent]);
    const found = await costs.tenantCosts('2026-11');
    expect(of(found, ann)).toMatchObject({ recipients: 15n, costMicro: 1_500n });
    expect(found).toMatchObject({ platformMicro: 2_500n, fleetMicro: 4_000n });
    addsUp(found);
    await expect(costs.usage(ann, month.start, month.end)).resolves.toEqual({ recipients: 15n, chargeMicro: 1_500n });
  });

  it('takes an attempt into the month in which it ended, UTC, and the tenant pays in the first', async () => {
    const last = new Date(month.end.getTime() - 1);
    await write.message(ann, account, 1, [{ state: 'SENT', endedAt: month.start }]);
    await write.message(ann, account, 2, [{ state: 'SENT', endedAt: last }]);
    await write.message(ann, account, 4, [{ state: 'SENT', endedAt: month.end }]);
    await write.message(ann, account, 8, [
      { state: 'SENT', endedAt: last },
      { state: 'SENT', endedAt: month.end },
    ]);
    process.clock.advance(20 * 24 * HOUR);
    const november = await costs.tenantCosts('2026-11');
    expect(of(november, ann)?.recipients).toBe(11n);
    expect(november.platformMicro).toBe(0n);
    const december = await costs.tenantCosts('2026-12');
    expect(of(december, ann)?.recipients).toBe(4n);
    expect(december.platformMicro).toBe(800n);
    expect((await costs.tenantCosts('2026-10')).fleetMicro).toBe(0n);
  });

  it('charges IPs from lease to release, to the owner of the pool, to who used it, or to nobody', async () => {
    process.clock.advance(month.end.getTime() - NOON.getTime());
    const owned = await write.lane(account.id, 'POOL', bob);
    const pool = await write.lane(account.id, 'POOL');
    await write.ip(account.id, owned, new Date('2026-03-01T00:00:00Z'));
    await write.ip(account.id, pool, month.start, new Date(month.start.getTime() + 4 * HOUR));
    await write.ip(account.id, null, month.start, new Date(month.start.getTime() + 72 * HOUR));
    await write.message(ann, account, 30, [
      { state: 'SENT', endedAt: new Date(month.start.getTime() + HOUR), lane: pool },
    ]);
    await write.message(bob, account, 10, [
      { state: 'SENT', endedAt: new Date(month.start.getTime() + HOUR), lane: pool },
    ]);
    await write.message(bob, account, 1, [
      { state: 'SENT', endedAt: new Date(month.start.getTime() + 3 * HOUR), lane: pool },
    ]);

    const found = await costs.tenantCosts('2026-11');
    const ips = found.lines.filter((line) => line.sku === 'ses.dedicated_ip_month');
    expect(ips.map((line) => [line.method, line.costMicro]).sort()).toEqual([
      ['by-pool-hours', 138_611n], // 24.95 * 4 / 720
      ['idle', 2_495_000n], // 24.95 * 72 / 720
      ['pool-owner', 24_950_000n],
    ]);
    const ipCost = (tenant: TenantId) =>
      of(found, tenant)
        ?.lines.filter((line) => line.sku === 'ses.dedicated_ip_month')
        .reduce((sum, line) => sum + line.costMicro, 0n);
    // Of the shared pool's four hours: ann 3/4 of one, bob 1/4 of that one and another, two idle. Exactly 25,989.5625,
    // 43,315.9375 and 69,305.5; the two micro-dollars left by rounding down go to the largest remainders.
    expect(ipCost(ann)).toBe(25_990n);
    expect(ipCost(bob)).toBe(24_950_000n + 43_316n);
    expect(found.idleMicro).toBe(2_495_000n + 69_305n);
    addsUp(found);
  });

  it('charges the current month up to now, to the millisecond, and later months nothing', async () => {
    await write.ip(account.id, null, new Date('2026-01-01T00:00:00Z'));
    const passed = BigInt(NOON.getTime() - month.start.getTime());
    const half = await costs.tenantCosts('2026-11');
    expect(half.fleetMicro).toBe((24_950_000n * passed * 2n + 2_592_000_000n) / (2n * 2_592_000_000n));
    expect(half.idleMicro).toBe(half.fleetMicro);
    expect((await costs.tenantCosts('2026-12')).fleetMicro).toBe(0n);
    expect((await costs.tenantCosts('2026-10')).fleetMicro).toBe(24_950_000n);
  });

  it('adds up for any mixture of attempts, and no message is ever charged twice to its tenant', async () => {
    const pool = await write.lane(account.id, 'POOL');
    const pro = await write.account({ pricingPlan: 'PRO' });
    await write.ip(account.id, pool, new Date('2026-10-03T00:00:00.123Z'));
    const states = ['SENT', 'REJECTED', 'NOT_SENT', 'IN_DOUBT'] as const;
    const times = ['2026-10-05T10:10:00Z', '2026-10-31T23:59:59.999Z', '2026-11-01T00:00:00Z', '2026-11-22T11:59:00Z'];
    const attempt = fc.record({
      state: fc.constantFrom(...states),
      endedAt: fc.constantFrom(...times).map((text) => new Date(text)),
      proven: fc.boolean(),
      pooled: fc.boolean(),
    });
    const messages = fc.sample(
      fc.record({
        tenant: fc.constantFrom(ann, bob),
        account: fc.constantFrom(account, pro),
        recipients: fc.integer({ min: 1, max: 50 }),
        attempts: fc.array(attempt, { minLength: 1, maxLength: 4 }),
      }),
      { numRuns: 60, seed: 7 },
    );
    const expected = new Map<TenantId, bigint>([
      [ann, 0n],
      [bob, 0n],
    ]);
    let extra = 0n;
    for (const message of messages) {
      await write.message(
        message.tenant,
        message.account,
        message.recipients,
        message.attempts.map(({ state, endedAt, proven, pooled }) => ({
          state,
          endedAt,
          ...(proven ? { sendEventAt: endedAt } : {}),
          ...(pooled && message.account === account ? { lane: pool } : {}),
        })),
      );
      const accepted = message.attempts.filter((one) => one.state === 'SENT' || one.proven).length;
      const recipients = BigInt(message.recipients);
      if (accepted > 0) expected.set(message.tenant, (expected.get(message.tenant) ?? 0n) + recipients);
      extra += recipients * BigInt(Math.max(0, accepted - 1));
    }

    const months = [await costs.tenantCosts('2026-10'), await costs.tenantCosts('2026-11')];
    months.forEach(addsUp);
    const allocated = months
      .flatMap((found) => found.lines)
      .flatMap((line) => (line.unit === 'recipient' ? line.allocations : []));
    const borneBy = (bearer: string) =>
      allocated.filter((one) => one.bearer === bearer).reduce((sum, one) => sum + one.quantity, 0n);
    expect(borneBy(ann)).toBe(expected.get(ann));
    expect(borneBy(bob)).toBe(expected.get(bob));
    expect(borneBy('__platform__')).toBe(extra);
    expect(extra).toBeGreaterThan(0n);
  });

  it.each(['2026-13', '2026', '', 'november'])('is refused for the month %j, naming the field', async (period) => {
    await expect(costs.tenantCosts(period)).rejects.toMatchObject({
      issues: [{ code: 'INVALID_INPUT', path: ['period'] }],
    });
  });

  it('is closed to a customer request', async () => {
    await expect(process.uow.confine(ann, () => costs.tenantCosts('2026-11'))).rejects.toThrow();
  });

  it('shows a customer its own usage, which is the sum of what its messages cost', async () => {
    const ids: MessageId[] = [];
    for (const recipients of [1, 2, 50]) ids.push(await write.message(ann, account, recipients, [sent]));
    const pro = await write.account({ pricingPlan: 'PRO' });
    ids.push(await write.message(ann, pro, 7, [sent]));
    await write.message(bob, account, 9, [sent]);

    await process.uow.confine(ann, async () => {
      const usage = await costs.usage(ann, month.start, month.end);
      expect(usage).toEqual({ recipients: 60n, chargeMicro: 5_300n + 1_540n });
      const never = new Date('9999-12-31T23:59:59Z');
      for (const since of ['0000-01-01T00:00:00Z', '1970-01-01T00:00:00Z']) {
        expect(await costs.usage(ann, new Date(since), never)).toEqual(usage);
        expect((await costs.usage(ann, new Date(since), new Date('1999-01-01T00:00:00Z'))).recipients).toBe(0n);
      }
      const prices = await process.uow.forTenant(ann, () =>
        costs.messageCosts(
          [1n, 2n, 50n, 7n].map((recipients, index) => ({
            id: ids[index]!,
            recipients,
            sendingAccountId: index === 3 ? pro.id : account.id,
            at: NOON,
          })),
        ),
      );
      expect(ids.map((id) => prices.get(id))).toEqual([100n, 200n, 5_000n, 1_540n]);
      expect([...prices.values()].reduce((sum, price) => sum + price, 0n)).toBe(usage.chargeMicro);
      await expect(async () => costs.usage(bob, month.start, month.end)).rejects.toThrow();
    });
    await expect(costs.usage(ann, month.end, month.start)).rejects.toMatchObject({ issues: [{ path: ['to'] }] });
  });

  it('prices a message by the rate in force at its time, and not at all before there was one', async () => {
    const price = async (at: string) => {
      const essentials = await write.account({ pricingPlan: 'ESSENTIALS' });
      const id = await write.message(ann, essentials, 1, []);
      const prices = await costs.messageCosts([
        { id, recipients: 10n, sendingAccountId: essentials.id, at: new Date(at) },
      ]);
      return prices.get(id);
    };
    expect(await price('2026-07-20T23:59:59.999Z')).toBe(1_000n);
    expect(await price('2026-07-21T00:00:00.000Z')).toBe(1_600n);
    expect(await price('2019-01-01T00:00:00.000Z')).toBeUndefined();
    await expect(costs.messageCosts([])).resolves.toEqual(new Map());
  });

  it('can be estimated beforehand: the cookbook to the cent, with what others ask', async () => {
    const estimates = process.module.get(EstimateService);
    const plain = await estimates.estimate({ recipientsPerMonth: 1_500_000n, dedicatedIps: 0n, pricingPlan: 'NONE' });
    expect(plain).toMatchObject({ totalMicro: 150_000_000n, perThousandMicro: 100_000n });
    const withIps = await estimates.estimate({ recipientsPerMonth: 1_500_000n, dedicatedIps: 3n, pricingPlan: 'NONE' });
    expect(withIps.totalMicro).toBe(224_850_000n);
    expect(withIps.competitors.find((one) => one.vendor === 'Postmark' && one.product === 'any')).toMatchObject({
      monthMicro: 1_500_000_000n,
      meaning: 'AT_LEAST',
    });
    await expect(
      estimates.estimate({ recipientsPerMonth: -1n, dedicatedIps: 0n, pricingPlan: 'GOLD' }),
    ).rejects.toMatchObject({ issues: [{ path: ['recipientsPerMonth'] }, { path: ['pricingPlan'] }] });
  });
});
