import { ObservationService, SendingAccountService } from '@libs/fleet';
import { FleetProcesses } from './fleet-processes';

describe('a sending account that is observed', () => {
  let fleet: FleetProcesses;
  let observation: ObservationService;
  let sending: SendingAccountService;

  beforeAll(async () => {
    fleet = await FleetProcesses.start();
    observation = fleet.inWorker(ObservationService);
    sending = fleet.inWorker(SendingAccountService);
  });
  afterAll(() => fleet.close());

  it.each([
    ['PRODUCTION', { productionAccess: true }],
    ['SANDBOX', { productionAccess: false }],
    ['UNDER_REVIEW', { productionAccess: true, enforcementStatus: 'PROBATION' as const }],
    ['PAUSED', { productionAccess: true, enforcementStatus: 'SHUTDOWN' as const }],
    ['PAUSED', { productionAccess: true, enforcementStatus: 'HEALTHY' as const, sendingEnabled: false }],
  ])('is %s when AWS says %j', async (state, said) => {
    const account =
      (await sending.active()).find(({ accountId }) => accountId === '200000000001') ??
      (await fleet.join({ accountId: '200000000001' }));
    const before = { enforcementStatus: 'HEALTHY' as const, sendingEnabled: true };
    await fleet.aws.putAccount('200000000001', {
      regions: { 'us-east-1': { ...before, max24HourSend: 7_000, ...said } },
    });
    fleet.clock.advance(60_000);
    const observed = await observation.observe(account.id);
    expect(observed).toMatchObject({ state, max24HourSend: 7_000n, observedAt: fleet.clock.now() });
    expect(await sending.get(account.id)).toEqual(observed);
  });

  it('stays suspended once a send was refused for it, and paused only until it is observed healthy', async () => {
    const account = await fleet.join({ accountId: '200000000002' });
    await sending.markFromSend(account.id, 'PAUSED');
    expect(await sending.get(account.id)).toMatchObject({ state: 'PAUSED' });
    expect(await observation.observe(account.id)).toMatchObject({ state: 'PRODUCTION' });

    await sending.markFromSend(account.id, 'SUSPENDED');
    await sending.markFromSend(account.id, 'PAUSED');
    expect(await observation.observe(account.id)).toMatchObject({ state: 'SUSPENDED' });
  });

  it('keeps its figures when AWS does not answer', async () => {
    const account = await fleet.join({ accountId: '200000000003' });
    await fleet.aws.addFault({ operation: 'GetAccount', account: '200000000003', kind: '500' });
    await expect(observation.observe(account.id)).rejects.toThrow();
    await fleet.aws.clearFaults();
    expect(await sending.get(account.id)).toEqual(account);
  });

  it('has IPs that were leased later put into a pool before anybody’s mail goes through them', async () => {
    const account = await fleet.join({ accountId: '200000000004' });
    await observation.discoverIps(account.id);
    expect(await sending.lanes([account.id])).toHaveLength(1);
    await fleet.aws.leaseIps('200000000004', 'us-east-1', { ips: ['203.0.113.9'] });
    await observation.discoverIps(account.id);
    const lanes = await sending.lanes([account.id]);
    expect(lanes.flatMap(({ poolName, ips }) => ips.map(({ ip }) => [poolName, ip]))).toEqual([
      ['transactional', '203.0.113.9'],
    ]);
  });

  it('has its epoch raised by one at a time, however many ask at once', async () => {
    const account = await fleet.join({ accountId: '200000000005' });
    const epochs = await Promise.all(Array.from({ length: 5 }, () => sending.bumpEpoch(account.id)));
    expect(epochs.sort()).toEqual([2n, 3n, 4n, 5n, 6n]);
  });
});
