import { z } from 'zod';
import type { IpState, RegionState } from '../state/simulator.state';
import { alreadyExists, badRequest, notFound } from '../wire/aws.errors';
import { bodyOf, pageOf, param, type SesCall, type SesRoute } from './ses.call';

/** Where a newly leased IP lands, and the name that forces shared IPs (aws-facts 1.5). */
export const DEFAULT_POOL = 'ses-default-dedicated-pool';
export const SHARED_POOL = 'ses-shared-pool';

const createBody = z.object({
  PoolName: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  ScalingMode: z.enum(['STANDARD', 'MANAGED']).default('STANDARD'),
});

export function poolExists(state: RegionState, name: string): boolean {
  return name === SHARED_POOL || name === DEFAULT_POOL || state.pools.has(name);
}

/** Dedicated IP pools and IPs. Leasing an IP is a support case at AWS, so it is in the admin API here. */
export function dedicatedIpRoutes(): SesRoute[] {
  const pools = '/v2/email/dedicated-ip-pools';
  const ips = '/v2/email/dedicated-ips';
  const resource = (call: SesCall): string => `dedicated-ip-pool/${param(call, 'PoolName')}`;
  return [
    {
      operation: 'CreateDedicatedIpPool',
      method: 'POST',
      path: pools,
      resource: (call) => `dedicated-ip-pool/${bodyOf(call, createBody).PoolName}`,
      handle: createPool,
    },
    {
      operation: 'ListDedicatedIpPools',
      method: 'GET',
      path: pools,
      handle: (call) => {
        const { items, next } = pageOf(call, [...call.state.pools.keys()]);
        return { DedicatedIpPools: items, ...next };
      },
    },
    {
      operation: 'GetDedicatedIpPool',
      method: 'GET',
      path: `${pools}/{PoolName}`,
      resource,
      handle: (call) => {
        const pool = poolOf(call);
        return { DedicatedIpPool: { PoolName: pool.name, ScalingMode: pool.scalingMode } };
      },
    },
    { operation: 'DeleteDedicatedIpPool', method: 'DELETE', path: `${pools}/{PoolName}`, resource, handle: deletePool },
    { operation: 'GetDedicatedIps', method: 'GET', path: ips, handle: listIps },
    {
      operation: 'GetDedicatedIp',
      method: 'GET',
      path: `${ips}/{Ip}`,
      handle: (call) => ({ DedicatedIp: shown(ipOf(call)) }),
    },
    { operation: 'PutDedicatedIpInPool', method: 'PUT', path: `${ips}/{Ip}/pool`, handle: moveIp },
    { operation: 'PutDedicatedIpWarmupAttributes', method: 'PUT', path: `${ips}/{Ip}/warmup`, handle: warmIp },
  ];
}

function createPool(call: SesCall): unknown {
  const body = bodyOf(call, createBody);
  if (poolExists(call.state, body.PoolName))
    throw alreadyExists(`Dedicated IP pool <${body.PoolName}> already exists.`);
  call.state.pools.set(body.PoolName, { name: body.PoolName, scalingMode: body.ScalingMode });
  return {};
}

function deletePool(call: SesCall): unknown {
  const { name } = poolOf(call);
  call.state.pools.delete(name);
  for (const ip of call.state.ips.values()) if (ip.pool === name) ip.pool = DEFAULT_POOL;
  return {};
}

function listIps(call: SesCall): unknown {
  const pool = call.query.get('PoolName');
  if (pool !== null && !poolExists(call.state, pool)) throw notFound(`Dedicated IP pool <${pool}> does not exist.`);
  const all = [...call.state.ips.values()].filter((ip) => pool === null || ip.pool === pool);
  const { items, next } = pageOf(call, all);
  return { DedicatedIps: items.map(shown), ...next };
}

function moveIp(call: SesCall): unknown {
  const ip = ipOf(call);
  const { DestinationPoolName: name } = bodyOf(call, z.object({ DestinationPoolName: z.string() }));
  if (name === SHARED_POOL || !poolExists(call.state, name))
    throw notFound(`Dedicated IP pool <${name}> does not exist.`);
  if (call.state.pools.get(name)?.scalingMode === 'MANAGED') {
    throw badRequest(`Dedicated IP pool <${name}> is managed: its addresses are chosen by Amazon SES.`);
  }
  ip.pool = name;
  return {};
}

function warmIp(call: SesCall): unknown {
  const ip = ipOf(call);
  const { WarmupPercentage: percentage } = bodyOf(
    call,
    z.object({ WarmupPercentage: z.number().int().min(0).max(100) }),
  );
  ip.warmupPercentage = percentage;
  ip.warmupStatus = percentage === 100 ? 'DONE' : 'IN_PROGRESS';
  return {};
}

function shown(ip: IpState): unknown {
  return { Ip: ip.ip, WarmupStatus: ip.warmupStatus, WarmupPercentage: ip.warmupPercentage, PoolName: ip.pool };
}

function ipOf(call: SesCall): IpState {
  const ip = call.state.ips.get(param(call, 'Ip'));
  if (ip === undefined) throw notFound(`Dedicated IP <${param(call, 'Ip')}> does not exist.`);
  return ip;
}

function poolOf(call: SesCall): { name: string; scalingMode: string } {
  const pool = call.state.pools.get(param(call, 'PoolName'));
  if (pool === undefined) throw notFound(`Dedicated IP pool <${param(call, 'PoolName')}> does not exist.`);
  return pool;
}
