import type { RedisAddress } from '@libs/config';
import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';

/** A connection to one server, or to a cluster of which the address names some nodes. */
export function openRedis(address: RedisAddress, options: RedisOptions): Redis | Cluster {
  const { username, password, database, nodes, tls } = address;
  const login = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
  const [first] = nodes;
  const connection = address.cluster
    ? new Cluster([...nodes], clusterOptions({ ...options, ...login }))
    : new Redis({ ...options, ...login, ...first, db: database });
  // All queues of a process listen on one connection.
  connection.setMaxListeners(0);
  return connection;
}

function clusterOptions(options: RedisOptions): ClusterOptions {
  const { retryStrategy, lazyConnect = false, enableOfflineQueue = true, enableReadyCheck = true, ...node } = options;
  return {
    lazyConnect,
    enableOfflineQueue,
    enableReadyCheck,
    // After a failover the nodes must be asked anew soon; a redirection does so too.
    slotsRefreshInterval: 5_000,
    slotsRefreshTimeout: 2_000,
    retryDelayOnFailover: 100,
    retryDelayOnClusterDown: 200,
    clusterRetryStrategy: (times) => retryStrategy?.(times) ?? Math.min(times * 100, 2_000),
    redisOptions: node,
  };
}
