import type { DedicatedIpInfo } from '@libs/aws';
import type { Stream } from '@libs/kernel';
import { SHARED_POOL } from './aws-names.policy';

/** Pools that an account with dedicated IPs gets, one per stream. */
const STREAM_POOLS = { TRANSACTIONAL: 'transactional', MARKETING: 'marketing' } as const satisfies Record<
  Stream,
  string
>;

export interface PlannedLane {
  readonly kind: 'SHARED' | 'POOL';
  readonly poolName: string;
  readonly stream: Stream | null;
}

export interface LanePlan {
  readonly poolsToCreate: readonly string[];
  /** IPs that are in no pool, and where they go. */
  readonly assignments: readonly { readonly ip: string; readonly poolName: string }[];
  readonly lanes: readonly PlannedLane[];
}

/**
 * What an account's pools and lanes should be, from what AWS has. An IP in no pool carries everybody's mail, so each one
 * is put into the stream pool that has the fewest, transactional first. Deterministic.
 */
export function planLanes(pools: readonly string[], ips: readonly DedicatedIpInfo[]): LanePlan {
  const streamPools: string[] = Object.values(STREAM_POOLS);
  const wanted = ips.length > 0 ? streamPools : [];
  const poolsToCreate = wanted.filter((name) => !pools.includes(name));

  const size = new Map(wanted.map((name) => [name, ips.filter((ip) => ip.poolName === name).length]));
  const assignments = ips
    .filter((ip) => ip.poolName === undefined)
    .map(({ ip }) => ip)
    .sort()
    .map((ip) => {
      const poolName = wanted.reduce((least, name) => ((size.get(name) ?? 0) < (size.get(least) ?? 0) ? name : least));
      size.set(poolName, (size.get(poolName) ?? 0) + 1);
      return { ip, poolName };
    });

  const found = ips.flatMap((ip) => (ip.poolName === undefined ? [] : [ip.poolName]));
  const names = [...new Set([...pools, ...poolsToCreate, ...found])].filter((name) => name !== SHARED_POOL).sort();
  return {
    poolsToCreate,
    assignments,
    lanes: [
      { kind: 'SHARED', poolName: SHARED_POOL, stream: null },
      ...names.map((poolName) => ({ kind: 'POOL' as const, poolName, stream: streamOf(poolName) })),
    ],
  };
}

function streamOf(poolName: string): Stream | null {
  if (poolName === STREAM_POOLS.TRANSACTIONAL) return 'TRANSACTIONAL';
  return poolName === STREAM_POOLS.MARKETING ? 'MARKETING' : null;
}
