import type { RedisAddress } from '@libs/config';
import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';

/** A server that was asked and says nothing for so long is not there any more. Bull waits for jobs by 5 s. */
const SILENT_MS = 15_000;

/** An unused connection is looked at by the kernel after so long: its server may be gone. */
const KEEP_ALIVE_MS = 10_000;

/** A connection to one server, or to a cluster of which the address names some nodes. */
export function openRedis(address: RedisAddress, settings: RedisOptions, silentMs = SILENT_MS): Redis | Cluster {
  const options = { keepAlive: KEEP_ALIVE_MS, ...settings };
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
  if (connection instanceof Redis) giveUpOnSilence(connection, silentMs);
  else {
    connection.on('+node', (node: Redis) => {
      giveUpOnSilence(node, silentMs);
    });
  }
  return connection;
}

/**
 * A host that has died, or a network that has parted, tells nobody: the kernel would repeat what was asked for a quarter of an
 * hour, and its caller wait as long.
 */
function giveUpOnSilence(server: Redis, silentMs: number): void {
  server.on('connect', () => {
    const { stream } = server;
    stream.setTimeout(silentMs);
    stream.on('timeout', () => {
      if (server.commandQueue.length > 0)
        stream.destroy(new Error('Connection timeout: Redis does not answer any more'));
    });
  });
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
