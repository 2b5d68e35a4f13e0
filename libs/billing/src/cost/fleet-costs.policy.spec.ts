import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import fc from 'fast-check';
import rateCardFile from '../../data/rate-card.json';
import { IDLE, PLATFORM, type Bearer } from './allocation.policy';
import { cutAt, parsePeriod } from '../billing-period.policy';
import { RateMissing } from '../billing.errors';
import { fleetCosts, type FleetCosts, type FleetFacts } from './fleet-costs.policy';
import { parseRateCardFile } from '../rates/rate-card-file.policy';
import { PRICING_PLANS, RateCards } from '../rates/rate-card.policy';

const fileRates = parseRateCardFile(rateCardFile).map((rate, index) => ({ ...rate, id: BigInt(index + 1) }));
const rates = new RateCards(fileRates);
const period = parsePeriod('2026-07'); // the month in which the plans came: prices change within it
const spans = cutAt({ from: period.start, to: period.end }, rates.changes(period.start, period.end));
const now = new Date('2026-11-22T00:00:00Z');
const long = new Date('2026-01-01T00:00:00Z');

const ids = <Id extends string>(name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}${index}` as unknown as Id);
const accounts = ids<SendingAccountId>('account', 3);
const tenants = ids<TenantId>('tenant', 5);
const lanes = accounts.flatMap((account) => ids<LaneId>(`${account}-lane`, 2));

const recipients = fc.bigInt({ min: 0n, max: 30_000_000n });
const moment = fc.date({ min: period.start, max: period.end, noInvalidDate: true });
const facts: fc.Arbitrary<FleetFacts> = fc
  .record({
    accounts: fc.tuple(
      ...accounts.map((sendingAccountId) =>
        fc.record({
          sendingAccountId: fc.constant(sendingAccountId),
          pricingPlan: fc.constantFrom(...PRICING_PLANS),
          createdAt: fc.constant(long),
        }),
      ),
    ),
    usage: fc.array(
      fc.record({
        sendingAccountId: fc.constantFrom(...accounts),
        tenantId: fc.constantFrom(...tenants),
        span: fc.constantFrom(...spans),
        recipients,
        extraRecipients: fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: recipients }),
      }),
      { maxLength: 20 },
    ),
    leases: fc.array(
      fc.tuple(fc.constantFrom(...lanes), fc.boolean(), moment, moment).map(([laneId, inPool, a, b]) => ({
        sendingAccountId: laneId.slice(0, 8) as unknown as SendingAccountId,
        laneId: inPool ? laneId : null,
        // The second lane of each account is a tenant's own.
        ownerTenantId: inPool && laneId.endsWith('1') ? (tenants[0] ?? null) : null,
        from: a < b ? a : b,
        to: a < b ? b : a,
      })),
      { maxLength: 12 },
    ),
    poolUse: fc.array(
      fc.record({
        laneId: fc.constantFrom(...lanes),
        bearer: fc.constantFrom<Bearer>(...tenants, PLATFORM),
        hour: moment.map((date) => new Date(date.getTime() - (date.getTime() % 3_600_000))),
        recipients: fc.bigInt({ min: 1n, max: 50_000n }),
      }),
      { maxLength: 20 },
    ),
  })
  .map((some) => ({ ...some, period, now }));

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
          leases: whole(given.leases),
          poolUse: whole(given.poolUse),
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
        const idler = { ...given.usage[0], tenantId: 'idler' as unknown as TenantId };
        const nothing = {
          span: spans[0]!,
          sendingAccountId: accounts[0]!,
          ...idler,
          recipients: 0n,
          extraRecipients: 0n,
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
        const allocated = (unit: string) =>
          sum(
            lines.filter((line) => line.unit === unit).flatMap((line) => line.allocations.map((one) => one.quantity)),
          );
        expect(allocated('recipient')).toBe(sum(given.usage.map((used) => used.recipients + used.extraRecipients)));
        expect(allocated('ip-millisecond')).toBe(
          sum(given.leases.map((lease) => BigInt(lease.to.getTime() - lease.from.getTime()))),
        );
      }),
    );
  });

  describe('in a plain month', () => {
    const november = parsePeriod('2026-11');
    const span = { from: november.start, to: november.end };
    const base: FleetFacts = {
      period: november,
      now: november.end,
      accounts: [{ sendingAccountId: accounts[0]!, pricingPlan: 'NONE', createdAt: long }],
      usage: [],
      leases: [],
      poolUse: [],
    };
    const used = (tenantId: TenantId, count: bigint, extraRecipients = 0n) => ({
      sendingAccountId: accounts[0]!,
      tenantId,
      span,
      recipients: count,
      extraRecipients,
    });
    const bearers = (costs: FleetCosts) => ({
      ...Object.fromEntries(costs.tenants.map((tenant) => [tenant.tenantId, tenant.costMicro])),
      idle: costs.idleMicro,
      platform: costs.platformMicro,
      fleet: costs.fleetMicro,
    });

    it('costs the cookbook 224.85 dollars for 1.5 million recipients and three IPs', () => {
      const ip = { ...span, sendingAccountId: accounts[0]!, laneId: lanes[0]!, ownerTenantId: tenants[0]! };
      const costs = fleetCosts({ ...base, usage: [used(tenants[0]!, 1_500_000n)], leases: [ip, ip, ip] }, rates);
      expect(bearers(costs)).toEqual({ tenant0: 224_850_000n, idle: 0n, platform: 0n, fleet: 224_850_000n });
      expect(costs.tenants[0]?.recipients).toBe(1_500_000n);
    });

    it('costs exactly 24.95 dollars for one IP, in a month of any length, and nothing before it began', () => {
      for (const name of ['2026-11', '2026-12', '2027-02', '2028-02']) {
        const month = parsePeriod(name);
        const ip = {
          from: month.start,
          to: month.end,
          sendingAccountId: accounts[0]!,
          laneId: null,
          ownerTenantId: null,
        };
        const costs = fleetCosts({ ...base, period: month, now: month.end, leases: [ip] }, rates);
        expect(bearers(costs)).toEqual({ idle: 24_950_000n, platform: 0n, fleet: 24_950_000n });
        const early = fleetCosts({ ...base, period: month, now: month.start, leases: [] }, rates);
        expect(early.fleetMicro).toBe(0n);
      }
    });

    it('charges the platform for extra attempts and the tenant once', () => {
      expect(bearers(fleetCosts({ ...base, usage: [used(tenants[0]!, 10n, 5n)] }, rates))).toEqual({
        tenant0: 1_000n,
        idle: 0n,
        platform: 500n,
        fleet: 1_500n,
      });
    });

    it('gives the average price of the tiers to everybody, whoever came first', () => {
      const essentials = { ...base, accounts: [{ ...base.accounts[0]!, pricingPlan: 'ESSENTIALS' as const }] };
      const costs = fleetCosts(
        { ...essentials, usage: [used(tenants[0]!, 10_000_000n), used(tenants[1]!, 10_000_000n)] },
        rates,
      );
      expect(bearers(costs)).toEqual({
        tenant0: 1_500_000_000n,
        tenant1: 1_500_000_000n,
        idle: 0n,
        platform: 0n,
        fleet: 3_000_000_000n,
      });
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
      expect(changing.changes(span.from, span.to)).toEqual([change]);
      const [first, second] = cutAt(span, [change]) as [typeof span, typeof span];
      const usage = [
        { ...used(tenants[0]!, 90n), span: first },
        { ...used(tenants[0]!, 30n), span: second },
      ];
      const costs = fleetCosts({ ...base, usage }, changing);
      expect(costs.lines.map((line) => [line.costMicro, line.rateIds])).toEqual([
        [900n, [1n]],
        [10n * 20n + 20n * 7n, [3n, 4n]],
      ]);
    });

    it('says by which method a pool is shared', () => {
      const ip = { ...span, sendingAccountId: accounts[0]! };
      const leases = [
        { ...ip, laneId: lanes[0]!, ownerTenantId: tenants[0]! },
        { ...ip, laneId: lanes[1]!, ownerTenantId: null },
        { ...ip, laneId: null, ownerTenantId: null },
      ];
      const { lines } = fleetCosts({ ...base, leases }, rates);
      expect(lines.map((line) => [line.laneId, line.method, line.allocations[0]?.bearer])).toEqual([
        [null, 'idle', IDLE],
        [lanes[0], 'pool-owner', tenants[0]],
        [lanes[1], 'by-pool-hours', IDLE],
      ]);
    });

    it('shares the fee of a plan by volume, and leaves it idle without any', () => {
      const pro = { ...base, accounts: [{ ...base.accounts[0]!, pricingPlan: 'PRO' as const }] };
      expect(bearers(fleetCosts(pro, rates))).toEqual({ idle: 105_000_000n, platform: 0n, fleet: 105_000_000n });
      const costs = fleetCosts({ ...pro, usage: [used(tenants[0]!, 3_000n), used(tenants[1]!, 1_000n)] }, rates);
      expect(bearers(costs)).toEqual({
        tenant0: 78_750_000n + 660_000n,
        tenant1: 26_250_000n + 220_000n,
        idle: 0n,
        platform: 0n,
        fleet: 105_880_000n,
      });
      const later = { ...pro, accounts: [{ ...pro.accounts[0]!, createdAt: november.end }] };
      expect(fleetCosts(later, rates).fleetMicro).toBe(0n);
    });

    it('refuses to price usage for which there is no rate', () => {
      expect(() => fleetCosts({ ...base, usage: [used(tenants[0]!, 1n)] }, new RateCards([]))).toThrow(RateMissing);
    });

    it('names idle and platform so that no tenant can be called like them', () => {
      for (const name of [IDLE, PLATFORM]) expect(name).not.toMatch(/^[0-9a-f-]+$/);
    });
  });
});
