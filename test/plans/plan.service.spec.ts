import { newId, type PlanId } from '@libs/kernel';
import { PlanService, PlansModule, type NewPlan } from '@libs/plans';
import { startApiProcess, type ApiProcess } from '../tenancy/api-process';

const by = { actor: 'operator:test', requestId: 'req_1' };
const wanted: NewPlan = {
  code: 'growth',
  name: 'Growth',
  tier: 'growth',
  streams: ['TRANSACTIONAL', 'MARKETING'],
  weight: 5,
  recipientsPerDay: 9_007_199_254_740_993n,
  recipientsPerSecond: '14.50',
  dedicatedIps: true,
  baseFeeMicro: 49_000_001n,
};

describe('plans', () => {
  let process: ApiProcess;
  let plans: PlanService;

  beforeEach(async () => {
    process = await startApiProcess([PlansModule]);
    plans = process.module.get(PlanService);
  });
  afterEach(() => process.close());

  const audited = () =>
    process.uow.forSystem(() =>
      process.uow.query<{ action: string; actor: string }>('SELECT actor, action FROM audit_log ORDER BY at, id'),
    );

  it('are stored to the last digit and read back by anybody, also inside a customer request', async () => {
    const plan = await plans.create(wanted, by);
    const stored = {
      ...wanted,
      id: plan.id,
      recipientsPerSecond: '14.5',
      bodyRetentionDays: 7,
      metadataRetentionDays: 90,
      transactionalInDoubt: 'AT_LEAST_ONCE',
      marketingInDoubt: 'AT_LEAST_ONCE',
      createdAt: plan.createdAt,
    };
    await expect(plans.get(plan.id)).resolves.toEqual(stored);
    const tenant = newId<never>();
    const inside = process.uow.confine(tenant, () => process.uow.forTenant(tenant, () => plans.get(plan.id)));
    await expect(inside).resolves.toEqual(stored);
    await expect(process.uow.forSystem(() => plans.get(plan.id))).resolves.toEqual(stored);
    expect(await audited()).toEqual([{ actor: 'operator:test', action: 'plan.create' }]);
  });

  it('keep what they say about retention and doubt', async () => {
    const said = {
      bodyRetentionDays: 1,
      metadataRetentionDays: 400,
      transactionalInDoubt: 'AT_MOST_ONCE',
      marketingInDoubt: 'AT_LEAST_ONCE',
    };
    const { id } = await plans.create({ ...wanted, ...said }, by);
    await expect(plans.get(id)).resolves.toMatchObject(said);
  });

  it('name the tiers that exist when one is asked for that does not, and leave nothing behind', async () => {
    await expect(plans.create({ ...wanted, tier: 'platinum' }, by)).rejects.toMatchObject({
      issues: [
        {
          code: 'INVALID_INPUT',
          path: ['tier'],
          message: expect.stringContaining('quarantine, free, growth, premium') as string,
        },
      ],
    });
    expect(await audited()).toEqual([]);
    expect((await plans.list({ limit: 10 })).rows).toEqual([]);
  });

  it('are refused with every wrong field and a taken code at once', async () => {
    await plans.create(wanted, by);
    await expect(plans.create({ ...wanted, weight: 0, name: '' }, by)).rejects.toMatchObject({
      issues: [
        { code: 'INVALID_INPUT', path: ['name'] },
        { code: 'INVALID_INPUT', path: ['weight'] },
        { code: 'CONFLICT', path: ['code'] },
      ],
    });
  });

  it('of one code exist once, however many ask for it together', async () => {
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => plans.create(wanted, by)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toMatchObject({ issues: [{ code: 'CONFLICT', path: ['code'] }] });
      }
    }
  });

  it('that do not exist are not found, whatever the id looks like', async () => {
    for (const id of [newId<PlanId>(), 'plan_x' as PlanId, "'; DROP TABLE plan" as PlanId]) {
      await expect(plans.get(id)).rejects.toMatchObject({ issues: [{ code: 'NOT_FOUND', path: ['planId'] }] });
    }
    await expect(plans.findByIds([newId<PlanId>(), 'x' as PlanId])).resolves.toEqual([]);
  });

  it('are paged in order of creation, forwards and backwards, each exactly once', async () => {
    const all: string[] = [];
    for (let i = 0; i < 7; i += 1) all.push((await plans.create({ ...wanted, code: `p${i}` }, by)).id);

    const forwards: string[] = [];
    let page = await plans.list({ limit: 3 });
    expect(page.hasPrevious).toBe(false);
    forwards.push(...page.rows.map((plan) => plan.id));
    while (page.hasNext) {
      page = await plans.list({ limit: 3, after: forwards.at(-1)! });
      expect(page.hasPrevious).toBe(true);
      forwards.push(...page.rows.map((plan) => plan.id));
    }
    expect(forwards).toEqual(all);

    const back = await plans.list({ limit: 3, before: all[5]! });
    expect(back.rows.map((plan) => plan.id)).toEqual(all.slice(2, 5));
    expect(back).toMatchObject({ hasNext: true, hasPrevious: true });
    const first = await plans.list({ limit: 3, before: all[2]! });
    expect(first.rows.map((plan) => plan.id)).toEqual(all.slice(0, 2));
    expect(first).toMatchObject({ hasNext: true, hasPrevious: false });
  });

  it('refuse a cursor that is none, naming it', async () => {
    await expect(plans.list({ limit: 3, after: 'x' })).rejects.toMatchObject({
      issues: [{ code: 'INVALID_INPUT', path: ['after'] }],
    });
  });

  it('list the tiers from the lowest rank to the highest', async () => {
    const tiers = await plans.tiers();
    expect(tiers.map((tier) => tier.code)).toEqual(['quarantine', 'free', 'growth', 'premium']);
  });

  it('have tiers whose ramp an operator sets, audited, and refuses when it makes no sense', async () => {
    const ramp = { floor: 9_007_199_254_740_993n, factor: '1.50' };
    await expect(plans.setRamp('growth', ramp, by)).resolves.toMatchObject({
      code: 'growth',
      rampFloor: 9_007_199_254_740_993n,
      rampFactor: '1.5',
    });
    expect(await audited()).toEqual([{ actor: 'operator:test', action: 'tier.set-ramp' }]);
    await expect(plans.setRamp('growth', { floor: 0n, factor: '0.5' }, by)).rejects.toMatchObject({
      issues: [{ path: ['rampFloor'] }, { path: ['rampFactor'] }],
    });
    await expect(plans.setRamp('gone', ramp, by)).rejects.toMatchObject({ issues: [{ code: 'NOT_FOUND' }] });
  });
});
