import type { Lane } from '@libs/fleet';
import type { Stream, TenantId } from '@libs/kernel';

/**
 * The way out for one stream: the tenant's own pool if it has one; the stream's pool when the plan includes dedicated IPs
 * and the pool has any; the shared IPs otherwise. A pool without IPs would refuse every message.
 * Undefined when the account has no lane at all, because it has not been set up.
 */
export function chooseLane(
  lanes: readonly Lane[],
  tenant: TenantId,
  stream: Stream,
  dedicatedIps: boolean,
): Lane | undefined {
  const pools = lanes
    .filter((lane) => lane.kind === 'POOL' && lane.ips.length > 0 && (lane.stream === stream || lane.stream === null))
    .sort((a, b) => Number(b.stream === stream) - Number(a.stream === stream) || (a.poolName < b.poolName ? -1 : 1));
  const own = pools.find((lane) => lane.ownerTenantId === tenant);
  const ofStream = pools.find((lane) => lane.ownerTenantId === null && lane.stream === stream);
  return own ?? (dedicatedIps ? ofStream : undefined) ?? lanes.find((lane) => lane.kind === 'SHARED');
}
