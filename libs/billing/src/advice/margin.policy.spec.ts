import type { SendingAccountId, TenantId } from '@libs/kernel';
import fc from 'fast-check';
import { IDLE, PLATFORM } from '../cost/allocation.policy';
import type { CostShare } from './cost-share';
import { idleRows } from './idle-cost.policy';
import { margin, MARGIN_VIEWS, type PriceShare } from './margin.policy';
import { waterfall } from './waterfall.policy';

const tenants = ['t0', 't1', 't2'] as unknown as TenantId[];
const accounts = ['a0', 'a1'] as unknown as SendingAccountId[];
const tiers = new Map([
  [tenants[0]!, 'free'],
  [tenants[1]!, 'growth'],
]);

const share = (change: Partial<CostShare>): CostShare => ({
  bearer: tenants[0]!,
  sendingAccountId: accounts[0]!,
  laneId: null,
  sku: 'ses.recipient',
  source: 'PROVISIONAL',
  category: 'Usage',
  isCorrection: false,
  reason: null,
  method: 'by-recipients',
  rateIds: ['1'],
  quantity: 1n,
  costMicro: 100n,
  ...change,
});
const price = (change: Partial<PriceShare>): PriceShare => ({
  tenantId: tenants[0]!,
  sku: 'plan.recipients',
  amountMicro: 500n,
  method: 'overage/marginal@1',
  planPriceIds: ['9'],
  ...change,
});

const anyShare = fc
  .record({
    bearer: fc.constantFrom<CostShare['bearer'][]>(...tenants, IDLE, PLATFORM),
    sendingAccountId: fc.constantFrom(...accounts, null),
    sku: fc.constantFrom('ses.recipient', 'ses.dedicated_ip_month', 'ses.base_fee_month', 'sns.publish', 'unknown'),
    source: fc.constantFrom('PROVISIONAL' as const, 'CUR' as const, 'CORRECTION' as const),
    category: fc.constantFrom('Usage', 'Purchase', 'Credit', 'Tax', 'Adjustment'),
    isCorrection: fc.boolean(),
    quantity: fc.bigInt({ min: -100n, max: 10n ** 9n }),
    costMicro: fc.bigInt({ min: -(10n ** 9n), max: 10n ** 12n }),
  })
  .map((change) => share({ ...change, reason: change.source === 'PROVISIONAL' ? null : 'PRICE' }));
const anyPrice = fc
  .record({
    tenantId: fc.constantFrom(...tenants),
    sku: fc.constantFrom('plan.recipients', 'plan.dedicated_ip', 'plan.base_fee', 'invoice.credit'),
    amountMicro: fc.bigInt({ min: -(10n ** 9n), max: 10n ** 12n }),
  })
  .map(price);

const sum = (amounts: readonly bigint[]) => amounts.reduce((all, amount) => all + amount, 0n);

describe('margin', () => {
  it('adds up exactly, from lines to rows to the whole, by whatever it is shown', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MARGIN_VIEWS),
        fc.array(anyShare, { maxLength: 30 }),
        fc.array(anyPrice, { maxLength: 30 }),
        (view, costs, prices) => {
          const found = margin(view, costs, prices, tiers);
          expect(found.costMicro).toBe(sum(costs.map((one) => one.costMicro)));
          expect(found.priceMicro).toBe(sum(prices.map((one) => one.amountMicro)));
          expect(sum(found.rows.map((row) => row.costMicro))).toBe(found.costMicro);
          expect(sum(found.rows.map((row) => row.priceMicro))).toBe(found.priceMicro);
          for (const row of found.rows) {
            expect(sum(row.lines.map((line) => line.costMicro))).toBe(row.costMicro);
            expect(sum(row.lines.map((line) => line.priceMicro))).toBe(row.priceMicro);
          }
        },
      ),
    );
  });

  it('is the same in whatever order the facts come', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MARGIN_VIEWS),
        fc.array(anyShare, { maxLength: 12 }),
        fc.array(anyPrice, { maxLength: 12 }),
        (view, costs, prices) => {
          const backwards = margin(view, [...costs].reverse(), [...prices].reverse(), tiers);
          expect(backwards).toEqual(margin(view, costs, prices, tiers));
        },
      ),
    );
  });

  it('lays what a tenant pays beside what it costs, and cites the prices of both', () => {
    const { rows } = margin('TENANT', [share({}), share({ bearer: IDLE, costMicro: 7n })], [price({})], tiers);
    expect(rows.map(({ kind, key, priceMicro, costMicro }) => [kind, key, priceMicro, costMicro])).toEqual([
      ['IDLE', null, 0n, 7n],
      ['TENANT', 't0', 500n, 100n],
    ]);
    expect(rows[1]?.lines).toEqual([
      {
        topic: 'RECIPIENTS',
        priceMicro: 500n,
        costMicro: 100n,
        skus: ['plan.recipients', 'ses.recipient'],
        rateIds: ['1'],
        planPriceIds: ['9'],
        methods: ['by-recipients', 'overage/marginal@1'],
      },
    ]);
  });

  it('splits what a tenant pays among accounts by what it sent through each', () => {
    const costs = [
      share({ quantity: 3n }),
      share({ sendingAccountId: accounts[1]!, quantity: 1n }),
      share({ sendingAccountId: accounts[1]!, sku: 'ses.dedicated_ip_month', quantity: 50n, costMicro: 9n }),
    ];
    const prices = [
      price({ amountMicro: 1_001n }),
      price({ sku: 'plan.dedicated_ip', amountMicro: 40n }),
      price({ tenantId: tenants[2]!, amountMicro: 8n }),
    ];
    const { rows } = margin('ACCOUNT', costs, prices, tiers);
    expect(rows.map(({ kind, key, priceMicro }) => [kind, key, priceMicro])).toEqual([
      ['ACCOUNT', 'a0', 751n],
      ['ACCOUNT', 'a1', 290n],
      ['NONE', null, 8n],
    ]);
  });

  it('puts a tenant whose tier nobody knows apart', () => {
    const { rows } = margin('TIER', [share({}), share({ bearer: tenants[2]! })], [], tiers);
    expect(rows.map(({ kind, key }) => [kind, key])).toEqual([
      ['NONE', null],
      ['TIER', 'free'],
    ]);
  });
});

describe('a cost waterfall', () => {
  it('ends at what the fleet cost, exactly, and each step begins where the one before ends', () => {
    fc.assert(
      fc.property(fc.array(anyShare, { maxLength: 30 }), (costs) => {
        const { fleetMicro, steps } = waterfall(costs);
        expect(fleetMicro).toBe(sum(costs.map((one) => one.costMicro)));
        let at = 0n;
        for (const step of steps) {
          at += step.amountMicro;
          expect(step.afterMicro).toBe(at);
        }
        expect(at).toBe(fleetMicro);
      }),
    );
  });

  it('goes from what tenants used over what nobody did to what the bill says beyond it', () => {
    const { steps } = waterfall([
      share({ source: 'CUR', reason: 'TAX', category: 'Tax', costMicro: 5n }),
      share({ source: 'CUR', reason: 'CREDIT', category: 'Credit', costMicro: -4n }),
      share({ source: 'CUR', reason: 'PRICE', costMicro: 3n }),
      share({ source: 'CORRECTION', reason: 'LATE_CHARGE', isCorrection: true, costMicro: 2n }),
      share({ bearer: IDLE, sku: 'ses.dedicated_ip_month', costMicro: 20n }),
      share({ bearer: PLATFORM, costMicro: 10n }),
      share({ sku: 'ses.base_fee_month', category: 'Purchase', costMicro: 30n }),
      share({ costMicro: 100n }),
    ]);
    expect(steps.map(({ kind, topic, reason, amountMicro }) => [kind, topic ?? reason, amountMicro])).toEqual([
      ['TENANTS', 'RECIPIENTS', 100n],
      ['TENANTS', 'FEES', 30n],
      ['PLATFORM', 'RECIPIENTS', 10n],
      ['IDLE', 'DEDICATED_IPS', 20n],
      ['DELTA', 'PRICE', 3n],
      ['CREDIT', 'CREDIT', -4n],
      ['TAX', 'TAX', 5n],
      ['CORRECTION', 'LATE_CHARGE', 2n],
    ]);
  });
});

describe('idle cost', () => {
  it('is found again in its rows, all of it', () => {
    fc.assert(
      fc.property(fc.array(anyShare, { maxLength: 30 }), (costs) => {
        const idle = sum(costs.filter((one) => one.bearer === IDLE).map((one) => one.costMicro));
        expect(sum(idleRows(costs).map((row) => row.idleMicro))).toBe(idle);
      }),
    );
  });

  it.each<[string, Partial<CostShare>, Partial<CostShare>, string, bigint]>([
    ['IPs in no pool', { sku: 'ses.dedicated_ip_month' }, { costMicro: 0n }, 'ASSIGN_OR_RETURN_IPS', 1_000n],
    [
      'half of a pool',
      { sku: 'ses.dedicated_ip_month', laneId: 'l' as never },
      { laneId: 'l' as never },
      'SHRINK_POOL',
      500n,
    ],
    [
      'a little of a pool',
      { sku: 'ses.dedicated_ip_month', laneId: 'l' as never, costMicro: 10n },
      { laneId: 'l' as never, costMicro: 90n },
      'NONE',
      100n,
    ],
    ['a fee', { sku: 'ses.base_fee_month' }, { costMicro: 0n }, 'USE_OR_CLOSE_ACCOUNT', 1_000n],
    ['something unknown', { sku: 'unknown' }, { costMicro: 0n }, 'EXPLAIN_CHARGE', 1_000n],
  ])('says what to do about %s', (_, idle, used, hint, permille) => {
    const rows = idleRows([share({ bearer: IDLE, ...idle }), share({ sku: idle.sku ?? '', ...used })]);
    expect(rows).toMatchObject([{ hint, idlePermille: permille }]);
  });
});
