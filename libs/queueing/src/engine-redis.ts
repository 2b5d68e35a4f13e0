import Redis from 'ioredis';

/** The connection of the ledger. Its own class, so that nobody gets it by accident. */
export class EngineRedis extends Redis {}

/** Opens a connection that fails commands at once while Redis is away, instead of queueing them out of sight. */
export function openEngineRedis(url: string): EngineRedis {
  return new EngineRedis(url, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    // A command in flight when the connection broke must fail, not run later on another server.
    autoResendUnfulfilledCommands: false,
    lazyConnect: true,
    connectTimeout: 5_000,
    retryStrategy: (times) => Math.min(times * 100, 2_000),
  });
}
