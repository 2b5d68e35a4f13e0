import path from 'node:path';
import type { DataFolder } from './data-folder';
import { withoutForeignServices } from './environment';
import { Part } from './part';
import { rememberedPort } from './ports';
import { preparePostgres, superuserUrl } from './postgres-server';
import { clusterUrl, formCluster, MASTERS } from './redis-cluster';
import { findRedis, type RedisSource } from './redis-discovery';
import { checkForeignRedis, prepareRedis, redisUrl } from './redis-server';
import type { StackSecrets } from './stack-secrets';
import { StackProblem } from './stack-problem';
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
  /** Three masters of a Redis Cluster instead of one server. */
  readonly redisCluster?: boolean;
  readonly say: (line: string) => void;
}

export interface BackingServices {
  /** The superuser's URL of a database of the PostgreSQL server. */
  readonly superuserUrl: (database?: string) => string;
  readonly postgresPort: number;
  readonly redisUrl: string;
  readonly postgres: Part;
  /** The Redis servers of our own: one, the masters of the cluster, or none when REDIS_URL named somebody else's. */
  readonly redis: readonly RedisPart[];
  /** One more server of our own, not started: for whoever rehearses a fail-over. */
  readonly redisReplica?: RedisPart;
}

export interface RedisPart {
  readonly part: Part;
  /** URL of this one server. */
  readonly url: string;
  readonly folder: string;
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
  const database = new Part(supervisor, () => preparePostgres(postgres, childEnv));
  await database.start();
  say(`PostgreSQL is ready on 127.0.0.1:${postgres.port}`);

  const services = {
    superuserUrl: (database?: string) => superuserUrl(postgres, database),
    postgresPort: postgres.port,
    postgres: database,
  };
  if (source.kind === 'url') {
    if (options.redisCluster === true) {
      throw new StackProblem('REDIS_URL names a server, but a cluster of our own was asked for; unset REDIS_URL');
    }
    say('Redis is the one of REDIS_URL');
    return { ...services, redisUrl: source.url, redis: [] };
  }
  const { masters: redis, replica: redisReplica } = await startRedis(supervisor, source, childEnv, options);
  say(`Redis is ready (${redis.length === 1 ? 'one server' : `a cluster of ${redis.length} masters`})`);
  const urls = redis.map(({ url }) => url);
  return {
    ...services,
    redisUrl: options.redisCluster === true ? clusterUrl(urls) : (urls[0] ?? ''),
    redis,
    redisReplica,
  };
}

async function startRedis(
  supervisor: Supervisor,
  source: Extract<RedisSource, { kind: 'program' }>,
  childEnv: Readonly<Record<string, string>>,
  { folder, secrets, durability, redisDatabases, redisCluster = false }: BackingServicesOptions,
): Promise<{ masters: RedisPart[]; replica: RedisPart }> {
  const server = async (name: string): Promise<RedisPart> => {
    const settings = {
      name,
      folder: path.join(folder.path, name),
      port: await rememberedPort(folder.path, name),
      password: secrets.redisPassword,
      databases: redisDatabases,
      durability,
      cluster: redisCluster,
    };
    const part = new Part(supervisor, (changes) => prepareRedis(source, settings, { ...childEnv, ...changes }));
    return { part, url: redisUrl(settings), folder: settings.folder };
  };
  const names = redisCluster ? Array.from({ length: MASTERS }, (_, i) => `redis-${i + 1}`) : ['redis'];
  const masters: RedisPart[] = [];
  for (const name of names) {
    const master = await server(name);
    await master.part.start();
    masters.push(master);
  }
  if (redisCluster) await formCluster(masters.map(({ url }) => url));
  return { masters, replica: await server('redis-replica') };
}
