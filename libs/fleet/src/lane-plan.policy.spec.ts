import type { DedicatedIpInfo } from '@libs/aws';
import fc from 'fast-check';
import { planLanes } from './lane-plan.policy';

const ip = (address: string, poolName?: string): DedicatedIpInfo => ({
  ip: address,
  poolName,
  warmupStatus: 'DONE',
  warmupPercentage: 100,
});

describe('pools and lanes', () => {
  it('of an account without dedicated IPs are its shared IPs, and no pool is made', () => {
    expect(planLanes([], [])).toEqual({
      poolsToCreate: [],
      assignments: [],
      lanes: [{ kind: 'SHARED', poolName: 'ses-shared-pool', stream: null }],
    });
  });

  it('of an account with five new IPs are three transactional and two marketing', () => {
    const plan = planLanes(
      [],
      ['5', '3', '1', '2', '4'].map((n) => ip(`198.51.100.${n}`)),
    );
    expect(plan.poolsToCreate).toEqual(['transactional', 'marketing']);
    expect(plan.assignments.map(({ ip: address, poolName }) => `${address.slice(-1)} ${poolName}`)).toEqual([
      '1 transactional',
      '2 marketing',
      '3 transactional',
      '4 marketing',
      '5 transactional',
    ]);
  });

  it('leaves IPs where somebody put them, and knows pools of no stream', () => {
    const plan = planLanes(['vip', 'marketing'], [ip('198.51.100.1', 'vip'), ip('198.51.100.2', 'marketing')]);
    expect(plan.assignments).toEqual([]);
    expect(plan.poolsToCreate).toEqual(['transactional']);
    expect(plan.lanes.map(({ poolName, stream }) => [poolName, stream])).toEqual([
      ['ses-shared-pool', null],
      ['marketing', 'MARKETING'],
      ['transactional', 'TRANSACTIONAL'],
      ['vip', null],
    ]);
  });

  it('never leave an IP without a pool, whatever AWS has, and a second look finds nothing to do', () => {
    const pool = fc.constantFrom(undefined, 'marketing', 'transactional', 'vip');
    const ips = fc.uniqueArray(fc.record({ ip: fc.ipV4(), poolName: pool }), {
      selector: (one) => one.ip,
      maxLength: 12,
    });
    fc.assert(
      fc.property(ips, fc.uniqueArray(fc.constantFrom('marketing', 'transactional', 'vip')), (found, pools) => {
        const before = found.map((one) => ip(one.ip, one.poolName));
        const plan = planLanes(pools, before);
        const assigned = new Map(plan.assignments.map((one) => [one.ip, one.poolName]));
        const after = before.map((one) => ({ ...one, poolName: one.poolName ?? assigned.get(one.ip) }));
        expect(after.every(({ poolName }) => plan.lanes.some((lane) => lane.poolName === poolName))).toBe(true);
        const again = planLanes([...pools, ...plan.poolsToCreate], after);
        expect([again.poolsToCreate, again.assignments]).toEqual([[], []]);
      }),
    );
  });
});
