import type { DataFolder } from './data-folder';
import { withoutForeignServices } from './environment';
import { rememberedPort } from './ports';
import { preparePostgres, superuserUrl } from './postgres-server';
import { findRedis } from './redis-discovery';
import { checkForeignRedis, prepareRedis, redisUrl } from './redis-server';
import type { StackSecrets } from './stack-secrets';
import type { Supervisor } from './supervisor';

export interface BackingServicesOptions {
  readonly folder: DataFolder;
  /** Where downloaded Redis packages are kept; shared by the stacks of one checkout. */
  readonly redisPackages: string;
  readonly secrets: StackSecrets;
  /** Read for PATH and REDIS_URL; children get it without variables of foreign services. */
  readonly env: Readonly<Record<string, string>>;
  /** `fast` is for tests: nothing survives a power cut. */
  readonly durability: 'safe' | 'fast';
  /** Logical databases of the Redis server. */
  readonly redisDatabases: number;
  readonly say: (line: string) => void;
}

export interface BackingServices {
  /** The superuser's URL of a database of the PostgreSQL server. */
  readonly superuserUrl: (database?: string) => string;
  readonly postgresPort: number;
  readonly redisUrl: string;
}

/**
 * PostgreSQL, and Redis unless REDIS_URL names one. The folder must be locked by this process.
 * @throws StackProblem with the fix when one of them cannot run
 */
export async function bootBackingServices(
  supervisor: Supervisor,
  options: BackingServicesOptions,
): Promise<BackingServices> {
  const { folder, secrets, env, durability, say } = options;
  const childEnv = withoutForeignServices(env);
  // Looked for first: a missing Redis is the likeliest trouble, and known before anything runs.
  const source = await findRedis(env, options.redisPackages, say);
  if (source.kind === 'url') await checkForeignRedis(source.url);

  const postgres = {
    folder: folder.postgres,
    port: await rememberedPort(folder.path, 'postgres'),
    password: secrets.postgresPassword,
    durability,
  };
  await supervisor.start(preparePostgres(postgres, childEnv));
  say(`PostgreSQL is ready on 127.0.0.1:${postgres.port}`);

  const services = {
    superuserUrl: (database?: string) => superuserUrl(postgres, database),
    postgresPort: postgres.port,
  };
  if (source.kind === 'url') {
    say('Redis is the one of REDIS_URL');
    return { ...services, redisUrl: source.url };
  }
  const redis = {
    folder: folder.redis,
    port: await rememberedPort(folder.path, 'redis'),
    password: secrets.redisPassword,
    databases: options.redisDatabases,
    durability,
  };
  await supervisor.start(prepareRedis(source, redis, childEnv));
  say(`Redis is ready on 127.0.0.1:${redis.port}`);
  return { ...services, redisUrl: redisUrl(redis) };
}
