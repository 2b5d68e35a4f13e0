import { newId, type PlanId } from '@libs/kernel';
import { PlanPriceService, PlanService, PlansModule, type NewPlanPrice } from '@libs/plans';
import { Client } from 'pg';
import { NOON, startApiProcess, type ApiProcess } from '../tenancy/api-process';

const by = { actor: 'operator:test' };
const price: NewPlanPrice = {
  validFrom: new Date('2026-12-01T00:00:00Z'),
  baseFeeMicro: 120_000_000n,
  includedRecipients: 9_007_199_254_740n,
  overage: [
    { from: 0n, amountMicro: 400_000n, perUnits: 1_000n },
    { from: 1_000_000n, amountMicro: 250_000n, perUnits: 1_000n },
  ],
  dedicatedIpFeeMicro: 39_000_000n,
  minimumMicro: 10_000_000n,
  monotone: true,
  source: 'price list 2027',
};

describe('prices of a plan', () => {
  let process: ApiProcess;
  let prices: PlanPriceService;
  let plans: PlanService;
  let plan: PlanId;

  beforeEach(async () => {
    process = await startApiProcess([PlansModule]);
    prices = process.module.get(PlanPriceService);
    plans = process.module.get(PlanService);
    const wanted = { code: 'growth', name: 'Growth', tier: 'growth', streams: ['MARKETING'], weight: 1 };
    const limits = { recipientsPerDay: null, recipientsPerSecond: null, dedicatedIps: true };
    plan = (await plans.create({ ...wanted, ...limits, ...price, baseFeeMicro: 99_000_000n }, by)).id;
  });
  afterEach(() => process.close());

  it('begin with what the plan was made with, to the last digit', async () => {
    const { includedRecipients, overage, dedicatedIpFeeMicro, minimumMicro } = price;
    const terms = { includedRecipients, overage, dedicatedIpFeeMicro, minimumMicro, monotone: true };
    await expect(prices.list(plan)).resolves.toEqual([
      expect.objectContaining({ ...terms, baseFeeMicro: 99_000_000n, validFrom: NOON, validTo: null }),
    ]);
  });

  it('follow each other without a gap, and the plan tells the fee in force', async () => {
    const published = await prices.publish(plan, price, by);
    expect((await prices.list(plan)).map((one) => [one.baseFeeMicro, one.validFrom, one.validTo])).toEqual([
      [99_000_000n, NOON, price.validFrom],
      [120_000_000n, price.validFrom, null],
    ]);
    expect((await prices.list(plan))[1]).toEqual(published);
    await expect(plans.get(plan)).resolves.toMatchObject({ baseFeeMicro: 99_000_000n });
    process.clock.advance(price.validFrom.getTime() - NOON.getTime());
    await expect(plans.get(plan)).resolves.toMatchObject({ baseFeeMicro: 120_000_000n });
    const december = [price.validFrom, new Date('2027-01-01T00:00:00Z')] as const;
    expect((await prices.within(...december)).map((one) => one.id)).toEqual([published.id]);
  });

  it('are refused for the past, before a published one, for no plan, and with every wrong field', async () => {
    await expect(
      prices.publish(plan, { ...price, validFrom: new Date(0), minimumMicro: -1n }, by),
    ).rejects.toMatchObject({ issues: [{ path: ['minimumMicro'] }, { path: ['validFrom'] }] });
    await prices.publish(plan, price, by);
    await expect(prices.publish(plan, price, by)).rejects.toMatchObject({ issues: [{ code: 'CONFLICT' }] });
    await expect(prices.publish(newId<PlanId>(), price, by)).rejects.toMatchObject({ issues: [{ code: 'NOT_FOUND' }] });
    expect(await prices.list(plan)).toHaveLength(2);
  });

  it('are audited', async () => {
    await prices.publish(plan, price, by);
    const found = await process.uow.forSystem(() =>
      process.uow.query(`SELECT detail->'baseFee' AS fee FROM audit_log WHERE action = 'plan-price.publish'`),
    );
    expect(found).toEqual([{ fee: { from: '99', to: '120' } }]);
  });

  it('are never changed: neither by a role of the product nor by the superuser', async () => {
    await prices.publish(plan, price, by);
    const change = 'UPDATE plan_price SET base_fee_micro = 1';
    await expect(process.uow.forSystem(() => process.uow.query(change))).rejects.toMatchObject({ code: '42501' });
    const superuser = new Client({ connectionString: process.database.superuserUrl });
    await superuser.connect();
    try {
      await expect(superuser.query(change)).rejects.toMatchObject({ code: 'PF002' });
      await expect(
        superuser.query('UPDATE plan_price SET valid_to = NULL WHERE valid_to IS NOT NULL'),
      ).rejects.toMatchObject({ code: 'PF002' });
      await expect(
        superuser.query(
          `INSERT INTO plan_price (plan_id, valid_from, base_fee_micro, included_recipients, dedicated_ip_fee_micro, minimum_micro, monotone, source)
           SELECT plan_id, valid_from + interval '1 day', 0, 0, 0, 0, true, 's' FROM plan_price WHERE valid_to IS NOT NULL`,
        ),
      ).rejects.toMatchObject({ code: '23P01' });
    } finally {
      await superuser.end();
    }
  });
});
