import { DomainService, IdentityService, RouteService, SendingAccountService, type SendingAccount } from '@libs/fleet';
import type { DomainError, TenantId } from '@libs/kernel';
import { PlacementService, ProvisioningService } from '@libs/placement';
import type { Plan } from '@libs/plans';
import { TenantService } from '@libs/tenancy';
import { UnitOfWork } from '@libs/database';
import { by, FleetProcesses } from '../fleet/fleet-processes';

describe('placement', () => {
  let fleet: FleetProcesses;
  let placements: PlacementService;
  let provisioning: ProvisioningService;
  let growth: SendingAccount;
  let small: SendingAccount;
  let premium: SendingAccount;
  let testing: SendingAccount;
  let plan: Plan;
  let domainNumber = 0;

  beforeAll(async () => {
    fleet = await FleetProcesses.start();
    placements = fleet.inApi(PlacementService);
    provisioning = fleet.inWorker(ProvisioningService);
    growth = await fleet.join({ accountId: '300000000001' }, { max24HourSend: 200_000 });
    small = await fleet.join({ accountId: '300000000002' }, { max24HourSend: 50_000 });
    premium = await fleet.join(
      { accountId: '300000000003', tier: 'premium' },
      { max24HourSend: 100_000, ips: ['198.51.100.1', '198.51.100.2'] },
    );
    plan = await fleet.plan();
  });
  afterAll(() => fleet.close());

  const issuesOf = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown as DomainError,
    );
    return error?.issues.map(({ code, path }) => `${code} ${(path ?? []).join('.')}`);
  };

  /** A tenant as createTenant makes it: the row, its domain and its placements in one unit. */
  async function arrive(onPlan: Plan = plan, domain = `tenant-${(domainNumber += 1)}.example`): Promise<TenantId> {
    return fleet.inApi(UnitOfWork).forSystem(async () => {
      const tenant = await fleet.tenant(onPlan);
      await fleet.inApi(DomainService).add(tenant, [domain], by);
      await placements.placeTenant(tenant, by);
      return tenant;
    });
  }
  const accountsOf = async (tenant: TenantId) =>
    (await placements.currentFor([tenant])).map(({ mode, stream, sendingAccountId }) => [
      mode,
      stream,
      sendingAccountId,
    ]);

  it('puts a new tenant on the account of its tier with the most headroom, for every stream, and keeps the reason', async () => {
    const tenant = await arrive();
    const current = await placements.currentFor([tenant]);
    expect(current.map(({ mode, stream, sendingAccountId }) => [mode, stream, sendingAccountId])).toEqual([
      ['LIVE', 'TRANSACTIONAL', growth.id],
      ['LIVE', 'MARKETING', growth.id],
    ]);
    expect(current[0]).toMatchObject({
      weight: 1_000,
      decidedBy: 'operator:test',
      reason: 'tier growth: 300000000001 us-east-1 has the most headroom: 200,000 of 200,000 recipients a day free',
      validTo: null,
    });
    expect(await fleet.takeJobs()).toContainEqual({
      job: 'placement.provision-tenant',
      payload: { tenantId: tenant },
    });
    const next = await arrive();
    const [placed] = await placements.currentFor([next]);
    expect(placed?.reason).toContain('190,000 of 200,000');
  });

  it('leaves nothing behind when no account of the tier can take the tenant', async () => {
    const free = await fleet.plan({ tier: 'free' });
    expect(await issuesOf(arrive(free, 'refused.example'))).toEqual(['NO_CAPACITY planId']);
    await fleet.join({ accountId: '300000000009', tier: 'free' }, { productionAccess: false });
    expect(await issuesOf(arrive(free, 'refused.example'))).toEqual(['NO_CAPACITY planId']);
    expect(await fleet.query('SELECT 1 FROM domain WHERE name = $1', ['refused.example'])).toEqual([]);
  });

  it('provisions configuration sets with an explicit pool and makes domains ready, and doing it twice changes nothing', async () => {
    const dedicated = await fleet.plan({ tier: 'premium', dedicatedIps: true });
    const tenant = await arrive(dedicated);
    await provisioning.provision(tenant);
    const routes = fleet.inWorker(RouteService);
    const made = await routes.list(tenant);
    const lanes = await fleet.inWorker(SendingAccountService).lanes([premium.id]);
    expect(
      made.map(({ stream, configurationSet, laneId, readyAt }) => [
        stream,
        configurationSet,
        lanes.find(({ id }) => id === laneId)?.poolName,
        readyAt !== null,
      ]),
    ).toEqual([
      ['MARKETING', `pf-${tenant.replaceAll('-', '').slice(-16)}-mk`, 'marketing', true],
      ['TRANSACTIONAL', `pf-${tenant.replaceAll('-', '').slice(-16)}-tx`, 'transactional', true],
    ]);
    await fleet.inWorker(IdentityService).refresh(tenant);
    expect(await fleet.inApi(DomainService).readyFor(tenant)).toHaveLength(1);

    await provisioning.provision(tenant);
    expect(await routes.list(tenant)).toEqual(made);
  });

  it('makes a route again after AWS lost it', async () => {
    const tenant = await arrive();
    await provisioning.provision(tenant);
    await provisioning.reprovision(tenant, growth.id);
    const routes = fleet.inWorker(RouteService);
    expect((await routes.list(tenant)).map(({ readyAt }) => readyAt)).toEqual([null, null]);
    await provisioning.advance();
    expect((await routes.list(tenant)).every(({ readyAt }) => readyAt !== null)).toBe(true);
  });

  it('shows what a move would do and what speaks against it, and changes nothing', async () => {
    const tenant = await arrive(await fleet.plan({ recipientsPerDay: 20_000n }), 'preview.example');
    const before = await accountsOf(tenant);
    const preview = await placements.previewMove({ tenantId: tenant, sendingAccountId: small.id });
    expect(preview).toMatchObject({ tierFits: true, domainsToVerify: ['preview.example'], problems: [], warnings: [] });
    const [leaves, arrives] = preview.utilisation;
    expect(leaves?.sendingAccountId).toBe(growth.id);
    expect(leaves!.beforePermille - leaves!.afterPermille).toBe(100);
    expect(arrives).toEqual({ sendingAccountId: small.id, beforePermille: 0, afterPermille: 400 });

    const wrongTier = await placements.previewMove({ tenantId: tenant, sendingAccountId: premium.id });
    expect(wrongTier.tierFits).toBe(false);
    expect(await issuesOf(placements.moveTenant({ tenantId: tenant, sendingAccountId: premium.id }, by))).toEqual([
      'INVALID_INPUT sendingAccountId',
    ]);
    expect(await issuesOf(placements.moveTenant({ tenantId: tenant, sendingAccountId: growth.id }, by))).toEqual([
      'CONFLICT sendingAccountId',
    ]);
    expect(await accountsOf(tenant)).toEqual(before);
  });

  it('moves only once the new route is ready and verified, keeps history, and tells sending in the same transaction', async () => {
    const tenant = await arrive();
    await provisioning.provision(tenant);
    await fleet.takeJobs();
    await fleet.aws.putSettings({ identityVerification: 'manual' });
    const [domain] = await fleet.inApi(DomainService).list(tenant);
    const move = await placements.moveTenant({ tenantId: tenant, sendingAccountId: small.id }, by);
    expect(await fleet.takeJobs()).toEqual([
      { job: 'placement.move-tenant', payload: { tenantId: tenant, moveId: move.id } },
    ]);
    expect(await issuesOf(placements.moveTenant({ tenantId: tenant, sendingAccountId: small.id }, by))).toEqual([
      'CONFLICT tenantId',
    ]);

    expect(await provisioning.runMove(tenant, move.id)).toBe('waiting');
    expect(await accountsOf(tenant)).toEqual([
      ['LIVE', 'TRANSACTIONAL', growth.id],
      ['LIVE', 'MARKETING', growth.id],
    ]);
    expect((await fleet.inApi(DomainService).readyFor(tenant)).map(({ name }) => name)).toEqual([domain!.name]);
    expect(await fleet.takeJobs()).toEqual([]);

    await fleet.aws.verifyIdentity({ account: small.accountId, region: small.region, identity: domain!.name });
    await fleet.aws.putSettings({ identityVerification: 'auto' });
    fleet.clock.advance(1_000);
    const results = await Promise.all([provisioning.runMove(tenant, move.id), provisioning.runMove(tenant, move.id)]);
    expect(results.sort()).toEqual(['done', 'ended']);
    expect(await fleet.takeJobs()).toEqual([{ job: 'placement.changed', payload: { tenantId: tenant } }]);
    expect(await accountsOf(tenant)).toEqual([
      ['LIVE', 'TRANSACTIONAL', small.id],
      ['LIVE', 'MARKETING', small.id],
    ]);
    const { rows } = await placements.history(tenant, { limit: 10 });
    expect(rows.map(({ sendingAccountId, validTo }) => [sendingAccountId, validTo])).toEqual([
      [growth.id, fleet.clock.now()],
      [growth.id, fleet.clock.now()],
      [small.id, null],
      [small.id, null],
    ]);
    expect(await placements.movesOf(tenant)).toMatchObject([{ id: move.id, state: 'DONE', detail: null }]);
  });

  it('row 29: takes a move to its end that broke off half way, and once', async () => {
    const tenant = await arrive();
    await provisioning.provision(tenant);
    const move = await placements.moveTenant({ tenantId: tenant, sendingAccountId: small.id }, by);
    await fleet.takeJobs();
    await fleet.aws.addFault({ operation: 'CreateEmailIdentity', account: small.accountId, kind: '500' });
    await expect(provisioning.runMove(tenant, move.id)).rejects.toThrow();
    // Its routes are made on the target, and nothing goes there yet.
    const routes = await fleet.inWorker(RouteService).list(tenant);
    expect(routes.filter(({ sendingAccountId }) => sendingAccountId === small.id)).toHaveLength(2);
    expect((await accountsOf(tenant)).map(([, , account]) => account)).toEqual([growth.id, growth.id]);
    await fleet.aws.clearFaults();

    await provisioning.advance();
    expect((await accountsOf(tenant)).map(([, , account]) => account)).toEqual([small.id, small.id]);
    expect(await fleet.takeJobs()).toEqual([{ job: 'placement.changed', payload: { tenantId: tenant } }]);
    // The job of the worker that broke off comes once more.
    expect(await provisioning.runMove(tenant, move.id)).toBe('ended');
    expect(await fleet.takeJobs()).toEqual([]);
    expect(await placements.movesOf(tenant)).toMatchObject([{ id: move.id, state: 'DONE' }]);
  });

  it('gives a move up when its target takes nobody any more, and the tenant stays where it was', async () => {
    const tenant = await arrive();
    const move = await placements.moveTenant({ tenantId: tenant, sendingAccountId: small.id }, by);
    const accounts = fleet.inWorker(SendingAccountService);
    await accounts.markFromSend(small.id, 'PAUSED');
    expect(await provisioning.runMove(tenant, move.id)).toBe('failed');
    expect(await placements.movesOf(tenant)).toMatchObject([
      { state: 'FAILED', detail: expect.stringContaining('state') as string },
    ]);
    expect((await accountsOf(tenant))[0]).toEqual(['LIVE', 'TRANSACTIONAL', growth.id]);
    await fleet.query(`UPDATE sending_account SET state = 'PRODUCTION' WHERE id = $1`, [small.id]);
  });

  it('follows a plan of another tier, and stays for one of the same', async () => {
    const tenant = await arrive();
    await provisioning.provision(tenant);
    const tenants = fleet.inApi(TenantService);
    await tenants.setPlan(tenant, (await fleet.plan({ recipientsPerDay: 5_000n })).id, by);
    expect(await placements.replaceForPlan(tenant, by)).toEqual([]);

    await tenants.setPlan(
      tenant,
      (await fleet.plan({ tier: 'premium', dedicatedIps: true, streams: ['TRANSACTIONAL'] })).id,
      by,
    );
    const [move] = await placements.replaceForPlan(tenant, by);
    expect(move).toMatchObject({ state: 'PENDING', sendingAccountId: premium.id });
    await provisioning.advance();
    expect(await accountsOf(tenant)).toEqual([['LIVE', 'TRANSACTIONAL', premium.id]]);
    const [now] = await placements.currentFor([tenant]);
    const lanes = await fleet.inWorker(SendingAccountService).findLanes([now!.laneId]);
    expect(lanes).toMatchObject([{ poolName: 'transactional' }]);
  });

  it('puts two tenants who come at the same moment one after the other', async () => {
    const big = await fleet.plan({ recipientsPerDay: 120_000n });
    const reasons = await Promise.all([arrive(big), arrive(big)]).then((both) => placements.currentFor(both));
    expect(new Set(reasons.map(({ reason }) => reason)).size).toBe(2);
  });

  it('serves test mode of every plan through a TEST account, also for tenants who came before it', async () => {
    const early = await arrive();
    expect((await accountsOf(early)).map(([mode]) => mode)).toEqual(['LIVE', 'LIVE']);
    testing = await fleet.join({ accountId: '300000000004', tier: 'free', mode: 'TEST' });
    await provisioning.advance();
    expect((await accountsOf(early)).filter(([mode]) => mode === 'TEST')).toEqual([
      ['TEST', 'TRANSACTIONAL', testing.id],
      ['TEST', 'MARKETING', testing.id],
    ]);
    const late = await arrive(await fleet.plan({ tier: 'premium' }));
    expect((await placements.current(late, 'TEST', 'MARKETING'))?.sendingAccountId).toBe(testing.id);
    expect((await placements.current(late, 'LIVE', 'MARKETING'))?.sendingAccountId).toBe(premium.id);
  });

  it('puts the operators’ own tenant on an account of their choice at once', async () => {
    const tenant = await arrive();
    await fleet.takeJobs();
    await placements.placeTenantOn({ tenantId: tenant, sendingAccountId: premium.id }, by);
    expect((await placements.current(tenant, 'LIVE', 'TRANSACTIONAL'))?.sendingAccountId).toBe(premium.id);
    expect((await fleet.takeJobs()).map(({ job }) => job)).toEqual(['placement.changed', 'placement.provision-tenant']);
  });

  it('refuses domains that are malformed or somebody’s, all at once, and adds none of them', async () => {
    const domains = fleet.inApi(DomainService);
    const [own, other] = [await fleet.tenant(plan), await fleet.tenant(plan)];
    await domains.add(other, ['taken.example'], by);
    expect(await issuesOf(domains.add(own, ['fine.example', 'no dots', 'TAKEN.example'], by))).toEqual([
      'INVALID_INPUT domains.1',
      'CONFLICT domains.2',
    ]);
    expect(await domains.list(own)).toEqual([]);
  });

  it('takes moves further in turns: twenty that wait for their domains keep no other waiting', async () => {
    await fleet.aws.putSettings({ identityVerification: 'manual' });
    const moved = async () => {
      const tenant = await arrive();
      const target = (await accountsOf(tenant)).some(([, , account]) => account === small.id) ? growth : small;
      const move = await placements.moveTenant({ tenantId: tenant, sendingAccountId: target.id }, by);
      return { tenant, target, move };
    };
    for (let i = 0; i < 20; i += 1) await moved();
    const { tenant, target, move } = await moved();
    expect(await provisioning.runMove(tenant, move.id)).toBe('waiting');
    const [domain] = await fleet.inApi(DomainService).list(tenant);
    await fleet.aws.verifyIdentity({ account: target.accountId, region: target.region, identity: domain!.name });
    fleet.clock.advance(1_000);
    for (let round = 0; round < 3; round += 1) await provisioning.advance();
    expect(await placements.movesOf(tenant)).toMatchObject([{ id: move.id, state: 'DONE' }]);
    await fleet.aws.putSettings({ identityVerification: 'auto' });
  });

  it('looks at domains in turns: twenty that nobody sets up keep no older one waiting', async () => {
    await fleet.aws.putSettings({ identityVerification: 'manual' });
    const old = await arrive();
    await provisioning.provision(old);
    for (let i = 0; i < 20; i += 1) await provisioning.provision(await arrive());
    const [domain] = await fleet.inApi(DomainService).list(old);
    for (const { accountId, region } of [growth, small, testing]) {
      await fleet.aws.verifyIdentity({ account: accountId, region, identity: domain!.name }).catch(() => undefined);
    }
    // Each round takes longer than a domain is left alone.
    for (let round = 0; round < 4; round += 1) {
      fleet.clock.advance(4_000);
      await provisioning.advance();
    }
    expect(await fleet.inApi(DomainService).list(old)).toMatchObject([{ state: 'READY' }]);
    await fleet.aws.putSettings({ identityVerification: 'auto' });
  });

  it('asks every other account about a domain where one cannot be asked', async () => {
    await fleet.aws.putSettings({ identityVerification: 'manual' });
    const identities = fleet.inWorker(IdentityService);
    for (const [broken, sound] of [
      [growth, small],
      [small, growth],
    ] as const) {
      const tenant = await arrive();
      for (const { id } of [broken, sound]) await identities.ensureIdentities(tenant, id);
      const [domain] = await fleet.inApi(DomainService).list(tenant);
      const { accountId, region } = sound;
      await fleet.aws.verifyIdentity({ account: accountId, region, identity: domain!.name });
      await fleet.aws.addFault({ operation: 'GetEmailIdentity', account: broken.accountId, kind: '500' });
      await expect(identities.refresh(tenant)).rejects.toThrow();
      await fleet.aws.clearFaults();
      const states = await fleet.query<{ account: string; state: string }>(
        'SELECT sending_account_id AS account, state FROM domain_identity WHERE tenant_id = $1',
        [tenant],
      );
      expect(states).toContainEqual({ account: sound.id, state: 'VERIFIED' });
      expect(states).toContainEqual({ account: broken.id, state: 'PENDING' });
    }
    await fleet.aws.putSettings({ identityVerification: 'auto' });
  });
});
