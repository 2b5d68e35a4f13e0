import type { PlanId, TenantId } from '@libs/kernel';
import type { PlanPrice, PriceTerms } from '@libs/plans';
import fc from 'fast-check';
import rateCardFile from '../../data/rate-card.json';
import { parseRateCardFile } from '../rates/rate-card-file.policy';
import { RateCards } from '../rates/rate-card.policy';
import { ipAdvice, priceOfMonth } from './ip-advice.policy';
import { MonthUsage } from './month-usage.policy';
import { chargesOf, whatIf, type PricedMonth } from './what-if.policy';

const cards = new RateCards(parseRateCardFile(rateCardFile).map((rate, index) => ({ ...rate, id: BigInt(index + 1) })));
const now = new Date('2026-11-22T00:00:00Z');
const terms: PriceTerms = {
  baseFeeMicro: 50_000_000n,
  includedRecipients: 100_000n,
  overage: [{ from: 0n, amountMicro: 400_000n, perUnits: 1_000n }],
  dedicatedIpFeeMicro: 39_000_000n,
  minimumMicro: 0n,
  monotone: true,
};

describe('advice on dedicated IPs', () => {
  it('finds one standard IP level with managed ones at 124,375 recipients a month', () => {
    const advice = ipAdvice(124_375n, 1n, cards, now, null);
    expect(advice.standardPaysFrom).toBe(124_375n);
    expect(advice.options.map(({ kind, extraMicro }) => [kind, extraMicro])).toEqual([
      ['SHARED', 0n],
      ['MANAGED', 24_950_000n],
      ['STANDARD', 24_950_000n],
    ]);
    expect(ipAdvice(124_374n, 1n, cards, now, null).cheaperOwn).toBe('MANAGED');
    expect(advice.cheaperOwn).toBe('STANDARD');
  });

  it('advises by the same volume for any number of IPs', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 9n }), fc.bigInt({ min: 1n, max: 200n }), (volume, ips) => {
        const { cheaperOwn, standardPaysFrom } = ipAdvice(volume, ips, cards, now, null);
        expect(cheaperOwn === 'STANDARD').toBe(standardPaysFrom !== null && volume >= standardPaysFrom);
      }),
    );
  });

  it('holds what IPs cost against what the tenant pays for them', () => {
    const paid = ipAdvice(200_000n, 2n, cards, now, terms).atTenantPrice;
    expect(paid).toEqual({
      priceSharedMicro: 90_000_000n,
      priceWithIpsMicro: 168_000_000n,
      marginSharedMicro: 70_000_000n,
      marginStandardMicro: 98_100_000n,
      paysByItself: true,
    });
    const free = ipAdvice(200_000n, 2n, cards, now, { ...terms, dedicatedIpFeeMicro: 24_949_999n }).atTenantPrice;
    expect(free?.paysByItself).toBe(false);
  });
});

describe('a what-if of prices', () => {
  const month = { from: new Date('2026-10-01T00:00:00Z'), to: new Date('2026-11-01T00:00:00Z') };
  const plan = 'plan' as unknown as PlanId;
  const version: PlanPrice = {
    ...terms,
    id: 1n,
    planId: plan,
    validFrom: new Date('2026-01-01T00:00:00Z'),
    validTo: null,
    source: 's',
  };
  const tenant = (name: string, recipients: bigint, price = version): PricedMonth => ({
    tenantId: name as unknown as TenantId,
    segments: [{ ...month, planName: 'P', price, recipients, ipMs: 0n }],
  });

  it('changes nothing where the terms are the same, whatever was used', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 10n ** 10n }), { maxLength: 8 }), (volumes) => {
        const tenants = volumes.map((volume, index) => tenant(`t${String(index)}`, volume));
        const same = whatIf(month, tenants, null, terms, new Map());
        expect(same.afterMicro).toBe(same.beforeMicro);
        expect([same.dearer, same.cheaper]).toEqual([0n, 0n]);
        expect(same.rows.reduce((sum, row) => sum + row.beforeMicro, 0n)).toBe(same.beforeMicro);
      }),
    );
  });

  it('is about the tenants of one plan, or of all', () => {
    const other = { ...version, id: 2n, planId: 'other' as unknown as PlanId };
    const tenants = [tenant('a', 300_000n), tenant('b', 300_000n, other)];
    const dearer = { ...terms, overage: [{ from: 0n, amountMicro: 500_000n, perUnits: 1_000n }] };
    const cost = new Map([[tenants[0]!.tenantId, 30_000_000n]]);
    expect(whatIf(month, tenants, plan, dearer, cost)).toMatchObject({
      beforeMicro: 130_000_000n,
      afterMicro: 150_000_000n,
      costMicro: 30_000_000n,
      dearer: 1n,
      cheaper: 0n,
      rows: [{ tenantId: 'a' }],
    });
    expect(whatIf(month, tenants, null, dearer, cost).rows).toHaveLength(2);
  });

  it('prices a whole month alike, whichever it is', () => {
    const [charged] = [tenant('a', 250_000n)].map(({ segments }) =>
      chargesOf(month, segments).reduce((sum, charge) => sum + charge.amountMicro, 0n),
    );
    expect(charged).toBe(priceOfMonth(terms, 250_000n, 0n));
  });

  it('lays usage on prices by the rule of invoices: a day belongs to the price that was in force last on it', () => {
    const change = new Date('2026-10-10T12:00:00Z');
    const segments = [
      { ...month, to: change, planName: 'P', price: version },
      { ...month, from: change, planName: 'P', price: { ...version, id: 2n } },
    ];
    const id = 'a' as unknown as TenantId;
    const row = (day: string, sku: 'ses.recipient' | 'ses.dedicated_ip_month', quantity: bigint) => ({
      span: { from: new Date(`${day}T00:00:00Z`), to: month.to },
      tenantId: id,
      sendingAccountId: 'x' as never,
      laneId: null,
      sku,
      quantity,
    });
    const usage = new MonthUsage([
      row('2026-09-03', 'ses.recipient', 1n),
      row('2026-10-09', 'ses.recipient', 10n),
      row('2026-10-10', 'ses.recipient', 100n),
      row('2026-10-31', 'ses.dedicated_ip_month', 7n),
    ]);
    expect(usage.within(id, segments).map(({ recipients, ipMs }) => [recipients, ipMs])).toEqual([
      [11n, 0n],
      [100n, 7n],
    ]);
    expect(usage.of(id)).toEqual({ recipients: 111n, ipMs: 7n });
  });
});
