import type { PlanId, TenantId } from '@libs/kernel';
import type { PlanPrice } from '@libs/plans';
import { PlanPriceMissing } from '../billing.errors';
import { daysOfSegments, priceSegments, type PlanTerm } from './price-segments.policy';

const tenant = 't' as TenantId;
const at = (text: string) => new Date(`2026-${text}Z`);
const month = { from: at('11-01T00:00:00'), to: at('12-01T00:00:00') };
const term = (plan: string, from: string, to: string | null): PlanTerm => ({
  planId: plan as PlanId,
  planName: plan.toUpperCase(),
  from: at(from),
  to: to === null ? null : at(to),
});
const price = (id: bigint, plan: string, from: string, to: string | null): PlanPrice => ({
  id,
  planId: plan as PlanId,
  validFrom: at(from),
  validTo: to === null ? null : at(to),
  baseFeeMicro: 0n,
  includedRecipients: 0n,
  overage: [],
  dedicatedIpFeeMicro: 0n,
  minimumMicro: 0n,
  monotone: true,
  source: 's',
});
const cut = (terms: PlanTerm[], prices: PlanPrice[]) =>
  priceSegments(tenant, month, terms, prices).map((segment) => [
    segment.planName,
    segment.price.id,
    segment.from.toISOString().slice(5, 16),
    segment.to.toISOString().slice(5, 16),
  ]);

describe('the segments of a month', () => {
  it('are one when nothing changes', () => {
    expect(cut([term('a', '01-01T00:00:00', null)], [price(1n, 'a', '01-01T00:00:00', null)])).toEqual([
      ['A', 1n, '11-01T00:00', '12-01T00:00'],
    ]);
  });

  it('are cut at every change of plan and of price, in order', () => {
    const terms = [term('b', '11-10T12:00:00', null), term('a', '01-01T00:00:00', '11-10T12:00:00')];
    const prices = [
      price(3n, 'b', '11-20T00:00:00', null),
      price(2n, 'b', '01-01T00:00:00', '11-20T00:00:00'),
      price(1n, 'a', '01-01T00:00:00', null),
    ];
    expect(cut(terms, prices)).toEqual([
      ['A', 1n, '11-01T00:00', '11-10T12:00'],
      ['B', 2n, '11-10T12:00', '11-20T00:00'],
      ['B', 3n, '11-20T00:00', '12-01T00:00'],
    ]);
  });

  it('begin with the tenant and end with it', () => {
    expect(cut([term('a', '11-05T06:00:00', '11-07T00:00:00')], [price(1n, 'a', '01-01T00:00:00', null)])).toEqual([
      ['A', 1n, '11-05T06:00', '11-07T00:00'],
    ]);
    expect(cut([term('a', '12-01T00:00:00', null)], [price(1n, 'a', '01-01T00:00:00', null)])).toEqual([]);
  });

  it.each([
    ['before its first price', [price(1n, 'a', '11-02T00:00:00', null)]],
    [
      'between two prices',
      [price(1n, 'a', '01-01T00:00:00', '11-02T00:00:00'), price(2n, 'a', '11-03T00:00:00', null)],
    ],
    ['after its last price', [price(1n, 'a', '01-01T00:00:00', '11-30T00:00:00')]],
    ['without any', []],
  ])('are refused where a plan is used %s', (_, prices) => {
    expect(() => cut([term('a', '01-01T00:00:00', null)], prices)).toThrow(PlanPriceMissing);
  });

  it('share the days without a gap: a day belongs to what was in force last on it', () => {
    const spans = ['11-01T00:00:00', '11-10T12:00:00', '11-10T13:00:00', '11-20T00:00:00'].map((from, index, all) => ({
      from: at(from),
      to: at(all[index + 1] ?? '12-01T00:00:00'),
    }));
    expect(daysOfSegments(spans)).toEqual([
      { from: '0001-01-01', to: '2026-11-10' },
      { from: '2026-11-10', to: '2026-11-10' },
      { from: '2026-11-10', to: '2026-11-20' },
      { from: '2026-11-20', to: '9999-12-31' },
    ]);
  });
});
