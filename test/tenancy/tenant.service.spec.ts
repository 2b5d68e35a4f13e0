import { newId, toPublicId, type PlanId, type TenantId } from '@libs/kernel';
import { PlanService, PlansModule } from '@libs/plans';
import { TenancyModule, TenantService } from '@libs/tenancy';
import { startApiProcess, type ApiProcess } from './api-process';

const by = { actor: 'operator:ann', requestId: 'req_9' };

describe('tenants', () => {
  let process: ApiProcess;
  let tenants: TenantService;
  let free: PlanId;
  let premium: PlanId;

  beforeAll(async () => {
    process = await startApiProcess([PlansModule, TenancyModule]);
    tenants = process.module.get(TenantService);
    const plan = async (tier: string) =>
      (
        await process.module.get(PlanService).create(
          {
            code: tier,
            name: tier,
            tier,
            streams: ['TRANSACTIONAL'],
            weight: 1,
            recipientsPerDay: null,
            recipientsPerSecond: null,
            dedicatedIps: false,
            baseFeeMicro: 0n,
          },
          by,
        )
      ).id;
    free = await plan('free');
    premium = await plan('premium');
  });
  afterAll(() => process.close());

  const audit = (tenant: TenantId) =>
    process.uow.forSystem(() =>
      process.uow.query<{ action: string; subject: string; actor: string; request_id: string; detail: object }>(
        'SELECT action, subject, actor, request_id, detail FROM audit_log WHERE tenant_id = $1 ORDER BY at, id',
        [tenant],
      ),
    );

  it('are created active, on their plan, with an audit entry', async () => {
    const tenant = await tenants.create({ name: 'Acme & Söhne', planId: free }, by);
    await expect(tenants.get(tenant.id)).resolves.toEqual({
      id: tenant.id,
      name: 'Acme & Söhne',
      planId: free,
      state: 'ACTIVE',
      pausedReason: null,
      createdAt: process.clock.now(),
    });
    expect(await audit(tenant.id)).toEqual([
      {
        action: 'tenant.create',
        subject: toPublicId('tenant', tenant.id),
        actor: 'operator:ann',
        request_id: 'req_9',
        detail: { name: 'Acme & Söhne', planId: toPublicId('plan', free) },
      },
    ]);
  });

  it.each([
    ['empty', ''],
    ['blank', '   '],
    ['121 characters long', 'x'.repeat(121)],
    ['one that would add a header', 'Acme\r\nBcc: all@example.com'],
    ['one that would turn the line around', 'Acme\u202E'],
  ])('are refused with a name that is %s', async (_, name) => {
    await expect(tenants.create({ name, planId: free }, by)).rejects.toMatchObject({
      issues: [{ code: 'INVALID_INPUT', path: ['name'] }],
    });
  });

  it('are refused with a wrong name and an unknown plan at once', async () => {
    await expect(tenants.create({ name: '', planId: newId<PlanId>() }, by)).rejects.toMatchObject({
      issues: [
        { code: 'INVALID_INPUT', path: ['name'] },
        { code: 'NOT_FOUND', path: ['planId'] },
      ],
    });
    await expect(tenants.create({ name: 'ok', planId: 'nonsense' as PlanId }, by)).rejects.toMatchObject({
      issues: [{ code: 'NOT_FOUND', path: ['planId'] }],
    });
  });

  it('pause with a reason and resume, each change audited once with what it was before', async () => {
    const { id } = await tenants.create({ name: 'Flood', planId: free }, by);
    process.clock.advance(1);
    await expect(tenants.pause(id, 'floods', by)).resolves.toMatchObject({ state: 'PAUSED', pausedReason: 'floods' });
    await tenants.pause(id, 'floods', by);
    await expect(tenants.get(id)).resolves.toMatchObject({ state: 'PAUSED', pausedReason: 'floods' });
    process.clock.advance(1);
    await expect(tenants.resume(id, by)).resolves.toMatchObject({ state: 'ACTIVE', pausedReason: null });
    await tenants.resume(id, by);
    const entries = await audit(id);
    expect(entries.map((entry) => entry.action)).toEqual(['tenant.create', 'tenant.pause', 'tenant.resume']);
    expect(entries[2]?.detail).toEqual({
      state: { from: 'PAUSED', to: 'ACTIVE' },
      pausedReason: { from: 'floods', to: null },
    });
  });

  it.each(['', 'line\nbreak', 'x'.repeat(501)])('do not pause for the reason %j', async (reason) => {
    const { id } = await tenants.create({ name: 'Calm', planId: free }, by);
    await expect(tenants.pause(id, reason, by)).rejects.toMatchObject({
      issues: [{ code: 'INVALID_INPUT', path: ['reason'] }],
    });
    await expect(tenants.get(id)).resolves.toMatchObject({ state: 'ACTIVE' });
  });

  it('change to a plan that exists, and stay where they are otherwise', async () => {
    const { id } = await tenants.create({ name: 'Riser', planId: free }, by);
    process.clock.advance(1);
    await expect(tenants.setPlan(id, premium, by)).resolves.toMatchObject({ planId: premium });
    await expect(tenants.setPlan(id, newId<PlanId>(), by)).rejects.toMatchObject({
      issues: [{ code: 'NOT_FOUND', path: ['planId'] }],
    });
    await expect(tenants.get(id)).resolves.toMatchObject({ planId: premium });
    expect((await audit(id)).map((entry) => entry.action)).toEqual(['tenant.create', 'tenant.set-plan']);
  });

  it('have a history of the plans they were on, without gap or overlap', async () => {
    const { id, createdAt } = await tenants.create({ name: 'Mover', planId: free }, by);
    const history = () =>
      process.uow.forSystem(() =>
        process.uow.query(
          'SELECT plan_id, valid_from, valid_to FROM tenant_plan WHERE tenant_id = $1 ORDER BY valid_from',
          [id],
        ),
      );
    process.clock.advance(1_000);
    const changed = process.clock.now();
    await tenants.pause(id, 'holidays', by);
    expect(await history()).toEqual([{ plan_id: free, valid_from: createdAt, valid_to: null }]);
    await tenants.setPlan(id, premium, by);
    const once = [
      { plan_id: free, valid_from: createdAt, valid_to: changed },
      { plan_id: premium, valid_from: changed, valid_to: null },
    ];
    expect(await history()).toEqual(once);
    await tenants.setPlan(id, free, by);
    expect(await history()).toEqual([once[0], { plan_id: free, valid_from: changed, valid_to: null }]);
  });

  it('that do not exist are not found by any operation', async () => {
    for (const id of [newId<TenantId>(), 'ten_x' as TenantId]) {
      const missing = { issues: [{ code: 'NOT_FOUND', path: ['tenantId'] }] };
      await expect(tenants.get(id)).rejects.toMatchObject(missing);
      await expect(tenants.pause(id, 'reason', by)).rejects.toMatchObject(missing);
      await expect(tenants.resume(id, by)).rejects.toMatchObject(missing);
      await expect(tenants.setPlan(id, free, by)).rejects.toMatchObject(missing);
    }
  });

  it('take a change back together with its audit entry', async () => {
    const { id } = await tenants.create({ name: 'Back', planId: free }, by);
    const failing = process.uow.forSystem(async () => {
      await tenants.pause(id, 'never mind', by);
      throw new Error('later step failed');
    });
    await expect(failing).rejects.toThrow('later step failed');
    await expect(tenants.get(id)).resolves.toMatchObject({ state: 'ACTIVE' });
    expect(await audit(id)).toHaveLength(1);
  });

  it('are read by their own request and by no other', async () => {
    const own = await tenants.create({ name: 'Own', planId: free }, by);
    const other = await tenants.create({ name: 'Other', planId: free }, by);
    await expect(process.uow.confine(own.id, () => tenants.get(own.id))).resolves.toMatchObject({ name: 'Own' });
    await expect(process.uow.confine(own.id, async () => tenants.get(other.id))).rejects.toThrow();
    await expect(process.uow.confine(own.id, async () => tenants.list({ limit: 10 }))).rejects.toThrow();
  });

  it('are listed in order of creation and found by their ids', async () => {
    const listed: TenantId[] = [];
    let page = await tenants.list({ limit: 2 });
    listed.push(...page.rows.map((tenant) => tenant.id));
    while (page.hasNext) {
      page = await tenants.list({ limit: 2, after: listed.at(-1)! });
      listed.push(...page.rows.map((tenant) => tenant.id));
    }
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed).toEqual([...listed].sort());
    const found = await tenants.findByIds([listed[0]!, newId<TenantId>()]);
    expect(found.map((tenant) => tenant.id)).toEqual([listed[0]]);
  });
});
