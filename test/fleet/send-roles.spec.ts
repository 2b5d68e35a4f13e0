import { DomainService, RouteService } from '@libs/fleet';
import { newId, type SendingAccountId } from '@libs/kernel';
import { FleetProcesses } from './fleet-processes';

describe('who to be to send through an account', () => {
  let fleet: FleetProcesses;
  let routes: RouteService;

  beforeAll(async () => {
    fleet = await FleetProcesses.start();
    routes = fleet.inWorker(RouteService);
  });
  afterAll(() => fleet.close());

  it('is the account’s send role, narrowed to one tenant, for many that are asked for at once', async () => {
    const account = await fleet.join({ accountId: '300000000001' });
    const plan = await fleet.plan();
    const tenants = [await fleet.tenant(plan), await fleet.tenant(plan)];
    for (const [n, tenant] of tenants.entries()) {
      await fleet.inApi(DomainService).add(tenant, [`t${String(n)}.example`], { actor: 'operator:test' });
    }
    const roles = await Promise.all(tenants.map((tenant) => routes.sendRole(account.id, tenant)));
    roles.forEach((role, n) => {
      expect(role).toMatchObject({ accountId: '300000000001', region: 'us-east-1', mode: 'LIVE' });
      expect(role.sessionPolicy).toContain(`identity/t${String(n)}.example`);
      expect(role.sessionPolicy).not.toContain(`identity/t${String(1 - n)}.example`);
    });
  });

  it('knows a new domain within two seconds', async () => {
    const account = await fleet.join({ accountId: '300000000002' });
    const tenant = await fleet.tenant(await fleet.plan());
    expect((await routes.sendRole(account.id, tenant)).sessionPolicy).not.toContain('late.example');
    await fleet.inApi(DomainService).add(tenant, ['late.example'], { actor: 'operator:test' });
    fleet.clock.advance(2_000);
    expect((await routes.sendRole(account.id, tenant)).sessionPolicy).toContain('identity/late.example');
  });

  it('knows it as soon after the clock of its host was set back by an hour', async () => {
    const account = await fleet.join({ accountId: '300000000004' });
    const tenant = await fleet.tenant(await fleet.plan());
    await routes.sendRole(account.id, tenant);
    await fleet.inApi(DomainService).add(tenant, ['early.example'], { actor: 'operator:test' });
    fleet.clock.advance(-3_600_000);
    expect((await routes.sendRole(account.id, tenant)).sessionPolicy).toContain('identity/early.example');
    fleet.clock.advance(3_600_000);
  });

  it('is nobody for an account that is not there, and the others that were asked for get theirs', async () => {
    const account = await fleet.join({ accountId: '300000000003' });
    const tenant = await fleet.tenant(await fleet.plan());
    const [gone, there] = await Promise.allSettled([
      routes.sendRole(newId<SendingAccountId>(), tenant),
      routes.sendRole(account.id, tenant),
    ]);
    expect(gone).toMatchObject({ status: 'rejected', reason: { issues: [{ code: 'NOT_FOUND' }] } });
    expect(there.status).toBe('fulfilled');
  });
});
