import { Redis } from 'ioredis';
import { REDIS_DATABASES, testStackFacts } from './test-stack';

export interface TestRedis {
  /** URL of a logical database that no other test file uses. */
  readonly url: string;
  /** Empties that database only. */
  flush(): Promise<void>;
  /** Empties it and gives it back. */
  close(): Promise<void>;
}

/** A logical Redis database of its own for a test file, empty. Call it in beforeAll and `close()` in afterAll. */
export async function createTestRedis(): Promise<TestRedis> {
  const { redisUrl } = testStackFacts();
  const register = new Redis(`${redisUrl}0`);
  const number = await claim(register);
  const url = `${redisUrl}${number}`;
  const own = new Redis(url);
  await own.flushdb();
  return {
    url,
    flush: async () => {
      await own.flushdb();
    },
    close: async () => {
      await own.flushdb();
      await register.del(claimOf(number));
      await Promise.all([own.quit(), register.quit()]);
    },
  };
}

const claimOf = (number: number) => `test-database:${number}`;

async function claim(register: Redis): Promise<number> {
  for (let number = 1; number < REDIS_DATABASES; number += 1) {
    if ((await register.set(claimOf(number), process.pid, 'NX')) === 'OK') return number;
  }
  register.disconnect();
  throw new Error(`all ${REDIS_DATABASES - 1} Redis databases are in use: does a test file forget to close() its own?`);
}
