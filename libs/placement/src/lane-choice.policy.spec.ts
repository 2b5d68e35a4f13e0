import type { Lane } from '@libs/fleet';
import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import { chooseLane } from './lane-choice.policy';

const tenant = 't' as TenantId;
const ips = [{ ip: '198.51.100.1', warmupStatus: 'DONE', warmupPercentage: 100 }];
const lane = (poolName: string, change: Partial<Lane> = {}): Lane => ({
  id: poolName as LaneId,
  sendingAccountId: 's' as SendingAccountId,
  kind: 'POOL',
  poolName,
  stream: null,
  ownerTenantId: null,
  ips,
  ...change,
});
const shared = lane('ses-shared-pool', { kind: 'SHARED', ips: [] });
const marketing = lane('marketing', { stream: 'MARKETING' });
const transactional = lane('transactional', { stream: 'TRANSACTIONAL' });
const all = [shared, marketing, transactional];

describe('the lane of a stream', () => {
  it('is its pool when the plan has dedicated IPs, and the shared IPs when it has not', () => {
    expect(chooseLane(all, tenant, 'MARKETING', true)).toBe(marketing);
    expect(chooseLane(all, tenant, 'TRANSACTIONAL', true)).toBe(transactional);
    expect(chooseLane(all, tenant, 'MARKETING', false)).toBe(shared);
  });

  it('is the shared one when the account has no such pool, or the pool is empty', () => {
    expect(chooseLane([shared, transactional], tenant, 'MARKETING', true)).toBe(shared);
    expect(chooseLane([shared, { ...marketing, ips: [] }], tenant, 'MARKETING', true)).toBe(shared);
  });

  it('is the tenant’s own pool before any other, and never somebody else’s', () => {
    const own = lane('vip', { ownerTenantId: tenant });
    expect(chooseLane([...all, own], tenant, 'MARKETING', false)).toBe(own);
    const foreign = lane('marketing', { stream: 'MARKETING', ownerTenantId: 'x' as TenantId });
    expect(chooseLane([shared, foreign], tenant, 'MARKETING', true)).toBe(shared);
  });

  it('does not exist on an account that was not set up', () => {
    expect(chooseLane([], tenant, 'MARKETING', true)).toBeUndefined();
  });
});
