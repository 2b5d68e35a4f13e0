import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import fc from 'fast-check';
import rateCardFile from '../../data/rate-card.json';
import { IDLE, PLATFORM } from './allocation.policy';
import { parsePeriod } from '../billing-period.policy';
import { RateMissing } from '../billing.errors';
import { fleetCosts, type FleetCosts } from './fleet-costs.policy';
import type { FleetFacts } from './fleet-facts';
import { parseRateCardFile } from '../rates/rate-card-file.policy';
import { PRICING_PLANS, RateCards, type PricingPlan } from '../rates/rate-card.policy';
import { poolHours, PoolUses } from '../usage/pool-use.policy';
import { COUNTED, type UsageRow } from '../usage/usage';
import { DEFAULT_POLICY, FEE_SHARES, IDLE_SHARES } from './cost-policy';

const fileRates = parseRateCardFile(rateCardFile).map((rate, index) => ({ ...rate, id: BigInt(index + 1) }));
const rates = new RateCards(fileRates);
const period = parsePeriod('2026-07'); // the month in which the plans came: prices change within it
const now = new Date('2026-11-22T00:00:00Z');
const long = new Date('2026-01-01T00:00:00Z');

const ids = <Id extends string>(name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}${index}` as unknown as Id);
const accounts = ids<SendingAccountId>('account', 3);
const tenants = ids<TenantId>('tenant', 5);
const lanes = accounts.flatMap((account) => ids<LaneId>(`${account}-lane`, 2));

const DAY = 86_400_000;
const HOUR = 3_600_000;
const days = Array.from({ length: 31 }, (_, index) => new Date(period.start.getTime() + index * DAY));
const dayOf = (from: Date) => ({ from, to: new Date(from.getTime() + DAY) });
const hourOf = (from: Date) => ({ from, to: new Date(from.getTime() + HOUR) });
const recipients = fc.bigInt({ min: 0n, max: 30_000_000n });
const hour = fc.tuple(fc.constantFrom(...days), fc.nat(23)).map(([day, n]) => new Date(day.getTime() + n * HOUR));
const tenant = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...tenants) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const counted = fc.record({
  sendingAccountId: fc.constantFrom(...accounts),
  tenantId: tenant,
  laneId: fc.constant(null),
  sku: fc.constantFrom(COUNTED.recipient, COUNTED.recipient, COUNTED.attachment, COUNTED.delivery),
  span: fc.constantFrom(...days).map(dayOf),
  quantity: recipients,
});
/** An hour of one lane: shared, the second one of each account a tenant's own, or in no pool. */
const ipTime = fc
  .tuple(fc.constantFrom(...lanes), fc.boolean(), hour, fc.bigInt({ min: 1n, max: 40_000_000n }))
  .map(([laneId, inPool, from, quantity]): UsageRow => ({
    sendingAccountId: laneId.slice(0, 8) as unknown as SendingAccountId,
    laneId: inPool ? laneId : null,
    tenantId: inPool && laneId.endsWith('1') ? (tenants[0] ?? null) : null,
    sku: COUNTED.dedicatedIp,
    span: hourOf(from),
    quantity,
  }));
const poolHour = fc.record({
  laneId: fc.constantFrom(...lanes),
  tenantId: tenant,
  span: hour.map(hourOf),
  quantity: fc.bigInt({ min: 1n, max: 50_000n }),
});
const facts: fc.Arbitrary<FleetFacts> = fc
  .record({
    accounts: fc.tuple(
      ...accounts.map((sendingAccountId) =>
        fc.record({
          sendingAccountId: fc.constant(sendingAccountId),
          plans: fc
            .tuple(fc.constantFrom(...PRICING_PLANS), fc.option(fc.tuple(hour, fc.constantFrom(...PRICING_PLANS))))
            .map(([first, change]) => [
              { pricingPlan: first, validFrom: long },
              ...(change ? [{ pricingPlan: change[1], validFrom: change[0] }] : []),
            ]),
          createdAt: fc.constant(long),
          vdm: fc.boolean(),
          managedIps: fc.boolean(),
        }),
      ),
    ),
    counted: fc.array(counted, { maxLength: 25 }),
    ips: fc.array(ipTime, { maxLength: 12 }),
    use: fc.array(poolHour, { maxLength: 25 }),
    late: fc.array(
      fc.record({
        ...{ sendingAccountId: fc.constantFrom(...accounts), tenantId: tenant, laneId: fc.constant(null) },
        sku: fc.constantFrom(COUNTED.recipient, COUNTED.dedicatedIp),
        span: fc.constant(dayOf(new Date('2026-06-30T00:00:00Z'))),
        quantity: fc.bigInt({ min: -50_000n, max: 50_000n }),
      }),
      { maxLength: 4 },
    ),
    policy: fc.record({ fees: fc.constantFrom(...FEE_SHARES), idle: fc.constantFrom(...IDLE_SHARES) }),
  })
  .map(({ accounts: known, counted: some, ips, use, late, policy }) => ({
    period,
    now,
    accounts: known,
    usage: [...some, ...ips, ...late],
    pools: new PoolUses(days.map(dayOf))
      .add(
        poolHours([
          ...ips,
          ...use.map((row) => ({
            ...row,
            sku: COUNTED.poolRecipient,
            sendingAccountId: row.laneId.slice(0, 8) as unknown as SendingAccountId,
          })),
        ]),
      )
      .all(),
    policy,
  }));

const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);

describe('the cost of the fleet', () => {
  it('is borne by tenants, idle and platform together, to the micro-dollar, line by line and in all', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const costs = fleetCosts(given, rates);
        for (const line of costs.lines) {
          expect(sum(line.allocations.map((one) => one.costMicro))).toBe(line.costMicro);
          expect(sum(line.allocations.map((one) => one.quantity))).toBe(line.quantity);
        }
        expect(costs.fleetMicro).toBe(sum(costs.lines.map((line) => line.costMicro)));
        expect(sum(costs.tenants.map((tenant) => tenant.costMicro)) + costs.idleMicro + costs.platformMicro).toBe(
          costs.fleetMicro,
        );
        for (const tenant of costs.tenants) {
          expect(sum(tenant.lines.map((line) => line.costMicro))).toBe(tenant.costMicro);
        }
      }),
    );
  });

  it('leaves nobody a whole micro-dollar from the exact share of a line', () => {
    fc.assert(
      fc.property(facts, (given) => {
        for (const line of fleetCosts(given, rates).lines) {
          const total = sum(line.allocations.map((one) => one.weight));
          for (const one of line.allocations) {
            if (total === 0n) continue;
            const off = one.costMicro * total - line.costMicro * one.weight;
            expect(off < total && -off < total).toBe(true);
          }
        }
      }),
    );
  });

  it('does not depend on the order in which facts come', () => {
    const whole = <T>(list: readonly T[]) => fc.shuffledSubarray([...list], { minLength: list.length });
    const shuffled = facts.chain((given) =>
      fc.tuple(
        fc.constant(given),
        fc.record({
          accounts: whole(given.accounts),
          usage: whole(given.usage),
          pools: whole(given.pools),
          policy: fc.constant(given.policy),
          period: fc.constant(period),
          now: fc.constant(now),
        }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([given, other]) => {
        expect(fleetCosts(other, rates)).toEqual(fleetCosts(given, rates));
      }),
    );
  });

  it('is the same with and without a tenant who used nothing', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const nothing = {
          sendingAccountId: accounts[0]!,
          laneId: null,
          sku: COUNTED.recipient,
          span: dayOf(days[0]!),
          ...given.usage[0],
          tenantId: 'idler' as unknown as TenantId,
          quantity: 0n,
        };
        expect(fleetCosts({ ...given, usage: [nothing, ...given.usage] }, rates)).toEqual(fleetCosts(given, rates));
      }),
    );
  });

  it('cites for every line a rate that was in force for all of it', () => {
    fc.assert(
      fc.property(facts, (given) => {
        for (const line of fleetCosts(given, rates).lines) {
          expect(line.rateIds.length).toBeGreaterThan(0);
          for (const id of line.rateIds) {
            const rate = fileRates.find((one) => one.id === id)!;
            expect(rate.sku).toBe(line.sku);
            expect(line.source).toContain(rate.source);
            if (line.unit !== 'month') expect(rate.validFrom <= line.span.from).toBe(true);
            expect(rate.validTo === null || rate.validTo >= line.span.to).toBe(true);
          }
        }
      }),
    );
  });

  it('allocates exactly the recipients that were used and the IP time that was leased', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const { lines } = fleetCosts(given, rates);
        const allocated = (sku: string) =>
          sum(lines.filter((line) => line.sku === sku).flatMap((line) => line.allocations.map((one) => one.quantity)));
        const used = (sku: string) => sum(given.usage.filter((row) => row.sku === sku).map((row) => row.quantity));
        expect(allocated('ses.recipient')).toBe(used(COUNTED.recipient));
        expect(allocated('ses.attachment_gb')).toBe(used(COUNTED.attachment));
        expect(allocated('sns.publish')).toBe(used(COUNTED.delivery));
        expect(allocated('sns.http_delivery')).toBe(used(COUNTED.delivery));
        expect(allocated('ses.dedicated_ip_month')).toBe(used(COUNTED.dedicatedIp));
      }),
    );
  });

  describe('in a plain month', () => {
    const november = parsePeriod('2026-11');
    const on = (pricingPlan: PricingPlan) => ({
      sendingAccountId: accounts[0]!,
      plans: [{ pricingPlan, validFrom: long }],
      createdAt: long,
      vdm: false,
      managedIps: false,
    });
    const base: FleetFacts = {
      period: november,
      now: november.end,
      accounts: [on('NONE')],
      usage: [],
      pools: [],
      policy: DEFAULT_POLICY,
    };
    const row = (tenantId: TenantId | null, quantity: bigint, more: Partial<UsageRow> = {}): UsageRow => ({
      sendingAccountId: accounts[0]!,
      tenantId,
      laneId: null,
      sku: COUNTED.recipient,
      span: dayOf(november.start),
      quantity,
      ...more,
    });
    const monthMs = (month = november) => BigInt(month.end.getTime() - month.start.getTime());
    const leased = (laneId: LaneId | null, owner: TenantId | null, month = november) =>
      row(owner, monthMs(month), { laneId, sku: COUNTED.dedicatedIp, span: dayOf(month.start) });
    const bearers = (costs: FleetCosts) => ({
      ...Object.fromEntries(costs.tenants.map((tenant) => [tenant.tenantId, tenant.costMicro])),
      idle: costs.idleMicro,
      platform: costs.platformMicro,
      fleet: costs.fleetMicro,
    });

    it('costs the cookbook 224.85 dollars for 1.5 million recipients and three IPs', () => {
      const ip = leased(lanes[0]!, tenants[0]!);
      const costs = fleetCosts({ ...base, usage: [row(tenants[0]!, 1_500_000n), ip, ip, ip] }, rates);
      expect(bearers(costs)).toEqual({ tenant0: 224_850_000n, idle: 0n, platform: 0n, fleet: 224_850_000n });
      expect(costs.tenants[0]?.recipients).toBe(1_500_000n);
    });

    it('costs exactly 24.95 dollars for one IP, in a month of any length', () => {
      for (const name of ['2026-11', '2026-12', '2027-02', '2028-02']) {
        const month = parsePeriod(name);
        const costs = fleetCosts({ ...base, period: month, now: month.end, usage: [leased(null, null, month)] }, rates);
        expect(bearers(costs)).toEqual({ idle: 24_950_000n, platform: 0n, fleet: 24_950_000n });
      }
    });

    it('charges the platform for extra attempts and the tenant once', () => {
      expect(bearers(fleetCosts({ ...base, usage: [row(tenants[0]!, 10n), row(null, 5n)] }, rates))).toEqual({
        tenant0: 1_000n,
        idle: 0n,
        platform: 500n,
        fleet: 1_500n,
      });
    });

    it('charges attachments by the byte and events by publish and delivery', () => {
      const usage = [
        row(tenants[0]!, 1_073_741_824n, { sku: COUNTED.attachment }),
        row(tenants[1]!, 1_000_000n, { sku: COUNTED.delivery }),
      ];
      expect(bearers(fleetCosts({ ...base, usage }, rates))).toEqual({
        tenant0: 120_000n,
        tenant1: 500_000n + 600_000n,
        idle: 0n,
        platform: 0n,
        fleet: 1_220_000n,
      });
    });

    it('charges VDM and managed IPs a la carte where they are on, and nothing where the plan includes them', () => {
      const on2 = (plan: PricingPlan) => ({ ...base, accounts: [{ ...on(plan), vdm: true, managedIps: true }] });
      const usage = [row(tenants[0]!, 1_000_000n)];
      const plain = fleetCosts({ ...on2('NONE'), usage }, rates);
      expect(plain.lines.map((line) => [line.sku, line.costMicro])).toEqual([
        ['ses.recipient', 100_000_000n],
        ['ses.vdm_recipient', 70_000_000n],
        ['ses.managed_ip_recipient', 80_000_000n],
        ['ses.managed_ip_base_month', 15_000_000n],
      ]);
      expect(fleetCosts({ ...on2('PRO'), usage }, rates).fleetMicro).toBe(105_000_000n + 220_000_000n);
    });

    it('gives the average price of the tiers to everybody, whoever came first', () => {
      const usage = [row(tenants[0]!, 10_000_000n), row(tenants[1]!, 10_000_000n, { span: dayOf(days[20]!) })].map(
        (one, index) => ({ ...one, span: dayOf(new Date(november.start.getTime() + index * DAY)) }),
      );
      expect(bearers(fleetCosts({ ...base, accounts: [on('ESSENTIALS')], usage }, rates))).toEqual({
        tenant0: 1_500_000_000n,
        tenant1: 1_500_000_000n,
        idle: 0n,
        platform: 0n,
        fleet: 3_000_000_000n,
      });
    });

    it('prices each part of a month by the plan in force, and the fee by the last one', () => {
      const change = new Date('2026-11-10T14:20:00Z');
      const account = {
        ...on('NONE'),
        plans: [...on('NONE').plans, { pricingPlan: 'PRO' as const, validFrom: change }],
      };
      const at = (text: string) => hourOf(new Date(text));
      const usage = [
        row(tenants[0]!, 1_000n, { span: dayOf(new Date('2026-11-09T00:00:00Z')) }),
        row(tenants[0]!, 1_000n, { span: at('2026-11-10T13:00:00Z') }),
        row(tenants[0]!, 1_000n, { span: at('2026-11-10T14:00:00Z') }),
        row(tenants[0]!, 1_000n, { span: dayOf(new Date('2026-11-11T00:00:00Z')) }),
      ];
      const { lines } = fleetCosts({ ...base, accounts: [account], usage }, rates);
      expect(lines.map((line) => [line.sku, line.pricingPlan, line.quantity, line.costMicro])).toEqual([
        ['ses.recipient', 'NONE', 2_000n, 200_000n],
        ['ses.recipient', 'PRO', 2_000n, 440_000n],
        ['ses.base_fee_month', 'PRO', 1n, 105_000_000n],
      ]);
    });

    it('goes on counting the tiers of a month when prices change within it', () => {
      const change = new Date('2026-11-15T00:00:00Z');
      const tier = (id: bigint, tierFrom: bigint, amountMicro: bigint, first: boolean) => ({
        id,
        card: 'aws-a-la-carte',
        sku: 'ses.recipient',
        tierFrom,
        amountMicro,
        perUnits: 1n,
        validFrom: first ? long : change,
        validTo: first ? change : null,
        source: 'test',
      });
      const changing = new RateCards([
        tier(1n, 0n, 10n, true),
        tier(2n, 100n, 5n, true),
        tier(3n, 0n, 20n, false),
        tier(4n, 100n, 7n, false),
      ]);
      const usage = [row(tenants[0]!, 90n), row(tenants[0]!, 30n, { span: dayOf(change) })];
      const costs = fleetCosts({ ...base, usage }, changing);
      expect(costs.lines.map((line) => [line.costMicro, line.rateIds])).toEqual([
        [900n, [1n]],
        [10n * 20n + 20n * 7n, [3n, 4n]],
      ]);
    });

    it('says by which method a pool is shared', () => {
      const usage = [leased(lanes[0]!, tenants[0]!), leased(lanes[1]!, null), leased(null, null)];
      const { lines } = fleetCosts({ ...base, usage }, rates);
      expect(lines.map((line) => [line.laneId, line.method, line.allocations[0]?.bearer])).toEqual([
        [lanes[0], 'pool-owner', tenants[0]],
        [lanes[1], 'by-pool-hours', IDLE],
        [null, 'idle', IDLE],
      ]);
    });

    it('shares the fee of a plan by volume, and leaves it idle without any', () => {
      const pro = { ...base, accounts: [on('PRO')] };
      expect(bearers(fleetCosts(pro, rates))).toEqual({ idle: 105_000_000n, platform: 0n, fleet: 105_000_000n });
      const costs = fleetCosts({ ...pro, usage: [row(tenants[0]!, 3_000n), row(tenants[1]!, 1_000n)] }, rates);
      expect(bearers(costs)).toEqual({
        tenant0: 78_750_000n + 660_000n,
        tenant1: 26_250_000n + 220_000n,
        idle: 0n,
        platform: 0n,
        fleet: 105_880_000n,
      });
      const later = { ...pro, accounts: [{ ...on('PRO'), createdAt: november.end }] };
      expect(fleetCosts(later, rates).fleetMicro).toBe(0n);
    });

    it('shares fees alike, or leaves them to the platform, where that is agreed', () => {
      const usage = [row(tenants[0]!, 3_000n), row(tenants[1]!, 1_000n)];
      const fee = (fees: 'EVEN' | 'PLATFORM') => {
        const policy = { ...DEFAULT_POLICY, fees };
        const { lines } = fleetCosts({ ...base, accounts: [on('PRO')], usage, policy }, rates);
        const line = lines.find((one) => one.unit === 'month');
        return [line?.method, line?.allocations.map((one) => [one.bearer, one.costMicro])];
      };
      expect(fee('EVEN')).toEqual(['even', tenants.slice(0, 2).map((one) => [one, 52_500_000n])]);
      expect(fee('PLATFORM')).toEqual(['platform', [[PLATFORM, 105_000_000n]]]);
    });

    it('shares what stood idle by volume, where that is agreed', () => {
      const usage = [row(tenants[0]!, 3_000n), row(tenants[1]!, 1_000n), leased(null, null)];
      const costs = fleetCosts({ ...base, usage, policy: { ...DEFAULT_POLICY, idle: 'TENANTS' } }, rates);
      expect(costs.idleMicro).toBe(0n);
      expect(costs.lines.find((line) => line.unit === 'ip-millisecond')).toMatchObject({
        method: 'idle-by-recipients',
        allocations: [{ costMicro: 18_712_500n }, { costMicro: 6_237_500n }],
      });
    });

    it('charges what comes to light of a final month in this one, by its own day and at the first tier', () => {
      const october = dayOf(new Date('2026-10-31T00:00:00Z'));
      const usage = [
        row(tenants[0]!, 10n, { span: october }),
        row(tenants[1]!, -4n, { span: october }),
        row(tenants[0]!, 1n),
      ];
      const { lines } = fleetCosts({ ...base, usage }, rates);
      expect(lines.map((line) => [line.span.from, line.quantity, line.costMicro, line.allocations[0]?.bearer])).toEqual(
        [
          [october.from, 10n, 1_000n, tenants[0]],
          [october.from, -4n, -400n, tenants[1]],
          [november.start, 1n, 100n, tenants[0]],
        ],
      );
    });

    it('refuses to price usage for which there is no rate', () => {
      expect(() => fleetCosts({ ...base, usage: [row(tenants[0]!, 1n)] }, new RateCards([]))).toThrow(RateMissing);
    });

    it('names idle and platform so that no tenant can be called like them', () => {
      for (const name of [IDLE, PLATFORM]) expect(name).not.toMatch(/^[0-9a-f-]+$/);
    });
  });
});
