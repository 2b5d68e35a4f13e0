import { redisHosts } from '@libs/config';
import { CannotStart } from '@libs/kernel';
import { openEngineRedis, RedisEvicts } from './engine-redis';

/** Redis is away, or not as it must be; the message names the setting and how to mend it. */
export class RedisUnusable extends CannotStart {}

/**
 * Looks at Redis before a process builds on it: every server answers, and none of them throws keys away.
 * @throws RedisUnusable
 */
export async function checkRedis(url: string): Promise<void> {
  const probe = openEngineRedis(url);
  // The connection only says that it is closed; why it could not be opened arrives here.
  let refused: Error | undefined;
  probe.on('error', (error: Error) => (refused = error));
  try {
    await probe.connect();
    await probe.checkEviction();
  } catch (error) {
    if (error instanceof RedisEvicts) throw new RedisUnusable(`REDIS_URL: ${error.message}`);
    throw new RedisUnusable(
      `REDIS_URL: Redis cannot be reached at ${redisHosts(url)} (${reason(refused ?? error)}). Start Redis there, or correct REDIS_URL.`,
    );
  } finally {
    probe.disconnect();
  }
}

function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}
