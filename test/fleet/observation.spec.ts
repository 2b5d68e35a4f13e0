import { AccountVerification, ObservationService, SendingAccountService } from '@libs/fleet';
import { waitFor } from '../support/wait-for';
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
    const { seen: observed } = await observation.observe(account.id);
    expect(observed).toMatchObject({ state, max24HourSend: 7_000n, observedAt: fleet.clock.now() });
    expect(await sending.get(account.id)).toEqual(observed);
  });

  it('stays suspended once a send was refused for it, and paused only until it is observed healthy', async () => {
    const account = await fleet.join({ accountId: '200000000002' });
    await sending.markFromSend(account.id, 'PAUSED');
    expect(await sending.get(account.id)).toMatchObject({ state: 'PAUSED' });
    expect(await observation.observe(account.id)).toMatchObject({ seen: { state: 'PRODUCTION' } });

    await sending.markFromSend(account.id, 'SUSPENDED');
    await sending.markFromSend(account.id, 'PAUSED');
    expect(await observation.observe(account.id)).toMatchObject({ seen: { state: 'SUSPENDED' } });
  });

  /** A send of that account is refused while AWS is asked: what AWS answers is older. */
  async function refusedDuring<Seen>(look: Promise<Seen>, refuse: () => Promise<void>): Promise<Seen> {
    await waitFor(async () => (await fleet.aws.faults()).some(({ hits }) => hits > 0), { what: 'AWS to be asked' });
    await refuse();
    const seen = await look;
    await fleet.aws.clearFaults();
    return seen;
  }

  it('stays paused when a send is refused while AWS is asked: the answer is older than that', async () => {
    const account = await fleet.join({ accountId: '200000000008' });
    await fleet.aws.addFault({ operation: 'GetAccount', account: '200000000008', kind: 'slow', delayMs: 1_000 });
    const look = observation.observe(account.id);
    const seen = await refusedDuring(look, () => sending.markFromSend(account.id, 'PAUSED'));
    expect(seen).toMatchObject({ before: { state: 'PAUSED' }, seen: { state: 'PAUSED' } });
    expect(await observation.observe(account.id)).toMatchObject({ seen: { state: 'PRODUCTION' } });
  });

  it.each([
    ['PAUSED', '200000000009'],
    ['SUSPENDED', '200000000010'],
  ] as const)('stays %s in the same way while an operator has it verified', async (state, accountId) => {
    const account = await fleet.join({ accountId });
    const verification = fleet.inWorker(AccountVerification);
    await fleet.aws.addFault({ operation: 'GetAccount', account: accountId, kind: 'slow', delayMs: 1_000 });
    const told: unknown[] = [];
    const look = verification.verify(account.awsAccountId, (seen, before) =>
      Promise.resolve(void told.push({ seen, before })),
    );
    await refusedDuring(look, () => sending.markFromSend(account.id, state));
    expect(told).toMatchObject([{ before: { state }, seen: { state } }]);
    await verification.verify(account.awsAccountId);
    expect(await sending.get(account.id)).toMatchObject({ state: 'PRODUCTION' });
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

  it('has a lease in the history for each pool its IP was in, and an end when it is gone', async () => {
    const account = await fleet.join({ accountId: '200000000006' });
    await fleet.aws.leaseIps('200000000006', 'us-east-1', { ips: ['203.0.113.10'] });
    await observation.discoverIps(account.id);
    const [pool] = (await sending.lanes([account.id])).filter(({ ips }) => ips.length === 1);
    const history = () =>
      fleet.query(
        'SELECT host(ip) AS ip, lane_id, owner_tenant_id, leased_from, leased_to FROM ip_lease WHERE sending_account_id = $1 ORDER BY leased_from',
        [account.id],
      );
    const leased = { ip: '203.0.113.10', lane_id: pool?.id, owner_tenant_id: null, leased_from: fleet.clock.now() };
    expect(await history()).toEqual([{ ...leased, leased_to: null }]);

    fleet.clock.advance(3_600_000);
    await observation.discoverIps(account.id);
    expect(await history()).toEqual([{ ...leased, leased_to: null }]);

    const owner = await fleet.tenant(await fleet.plan());
    await fleet.query('UPDATE lane SET owner_tenant_id = $2 WHERE id = $1', [pool?.id, owner]);
    await observation.discoverIps(account.id);
    const owned = { ...leased, owner_tenant_id: owner, leased_from: fleet.clock.now() };
    expect(await history()).toEqual([
      { ...leased, leased_to: fleet.clock.now() },
      { ...owned, leased_to: null },
    ]);
  });

  it('has its pricing plan in the history from the moment it is seen', async () => {
    const account = await fleet.join({ accountId: '200000000007' });
    const joined = fleet.clock.now();
    const history = () =>
      fleet.query(
        'SELECT pricing_plan, valid_from, valid_to FROM account_plan WHERE sending_account_id = $1 ORDER BY valid_from',
        [account.id],
      );
    expect(await history()).toEqual([{ pricing_plan: 'NONE', valid_from: joined, valid_to: null }]);
    fleet.clock.advance(60_000);
    await fleet.query(`UPDATE account_plan SET pricing_plan = 'PRO' WHERE sending_account_id = $1`, [account.id]);
    await observation.observe(account.id);
    expect(await history()).toEqual([
      { pricing_plan: 'PRO', valid_from: joined, valid_to: fleet.clock.now() },
      { pricing_plan: 'NONE', valid_from: fleet.clock.now(), valid_to: null },
    ]);
  });

  it('has its epoch raised by one at a time, however many ask at once', async () => {
    const account = await fleet.join({ accountId: '200000000005' });
    const epochs = await Promise.all(Array.from({ length: 5 }, () => sending.bumpEpoch(account.id)));
    expect(epochs.sort()).toEqual([2n, 3n, 4n, 5n, 6n]);
  });
});
