import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { bootBackingServices, type BackingServices } from '../../tools/local-stack/backing-services';
import { DataFolder, readJson, writeJson } from '../../tools/local-stack/data-folder';
import { ownEnvironment } from '../../tools/local-stack/environment';
import { migrateDatabase } from '../../tools/local-stack/migrated-database';
import { projectRoot } from '../../tools/local-stack/project-root';
import { loadSecrets, type StackSecrets } from '../../tools/local-stack/stack-secrets';
import { redisPackagesFolder } from '../../tools/local-stack/stack';
import { StackProblem } from '../../tools/local-stack/stack-problem';
import { stopLeftovers, Supervisor } from '../../tools/local-stack/supervisor';

export const TEMPLATE = 'pf_template';

/** Logical Redis databases; number 0 belongs to the support code, each test file gets one of the others. */
export const REDIS_DATABASES = 64;

/** What test files are told about the servers, through the file that POSTFLEET_TEST_STACK names. */
export interface TestStackFacts {
  readonly folder: string;
  readonly postgresPort: number;
  readonly secrets: StackSecrets;
  /** URL of the Redis server without a database number, ending in "/". */
  readonly redisUrl: string;
}

export interface TestStack {
  readonly facts: TestStackFacts;
  stop(): Promise<void>;
}

/** Runs of jest that may go on at the same time in one checkout; each has servers of its own. */
const slots = 16;

/**
 * Boots PostgreSQL and Redis for one run of jest and migrates the template database. The cluster is kept between runs;
 * the template is made anew only when a migration has changed.
 */
export async function bootTestStack(say: (line: string) => void): Promise<TestStack> {
  const dataRoot = path.join(projectRoot(), '.data');
  const folder = await claimSlot(path.join(dataRoot, 'test'));
  const supervisor = new Supervisor(folder, (problem) => {
    say(problem.message);
  });
  try {
    const secrets = loadSecrets(folder.path);
    const services = await bootBackingServices(supervisor, {
      folder,
      secrets,
      // A REDIS_URL in the environment would be a server that other people's data may be in.
      env: { ...ownEnvironment(), REDIS_URL: '' },
      redisPackages: redisPackagesFolder(dataRoot),
      durability: 'fast',
      redisDatabases: REDIS_DATABASES,
      say: () => undefined,
    });
    await migrateTemplate(services, secrets);
    const redisUrl = services.redisUrl.replace(/\d+$/, '');
    await emptyRedis(`${redisUrl}0`);
    rmSync(path.join(folder.path, 'databases.jsonl'), { force: true });
    const facts = { folder: folder.path, postgresPort: services.postgresPort, secrets, redisUrl };
    writeJson(path.join(folder.path, 'stack.json'), facts);
    return {
      facts,
      stop: async () => {
        await supervisor.stopAll();
        folder.unlock();
      },
    };
  } catch (error) {
    await supervisor.stopAll();
    folder.unlock();
    throw error;
  }
}

/** @throws Error when the servers were not started, which only happens outside jest */
export function testStackFacts(): TestStackFacts {
  const file = process.env['POSTFLEET_TEST_STACK'];
  const facts = file === undefined ? undefined : readJson<TestStackFacts>(file);
  if (!facts)
    throw new Error('the test servers are not running: test/support/global-setup.ts starts them for tests below test/');
  return facts;
}

async function claimSlot(parent: string): Promise<DataFolder> {
  const folders = Array.from({ length: slots }, (_, number) => new DataFolder(path.join(parent, `slot-${number}`)));
  for (const folder of folders) {
    if (!folder.tryLock()) continue;
    await stopLeftovers(folder.children);
    return folder;
  }
  throw new StackProblem(`${slots} test runs are going on in this checkout; wait for one to end`);
}

async function migrateTemplate(services: BackingServices, secrets: StackSecrets): Promise<void> {
  const admin = new Client({ connectionString: services.superuserUrl() });
  await admin.connect();
  try {
    await dropOldTestDatabases(admin);
    const fingerprint = migrationFingerprint();
    const { rows } = await admin.query<{ comment: string | null }>(
      `SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1`,
      [TEMPLATE],
    );
    if (rows[0]?.comment === fingerprint) return;
    if (rows.length > 0) {
      await admin.query(`ALTER DATABASE ${TEMPLATE} IS_TEMPLATE false`);
      await admin.query(`DROP DATABASE ${TEMPLATE} WITH (FORCE)`);
    }
    await migrateDatabase(services, secrets, TEMPLATE);
    // A template with an open connection cannot be cloned.
    await admin.query(`ALTER DATABASE ${TEMPLATE} IS_TEMPLATE true ALLOW_CONNECTIONS false`);
    // Last: the comment says that the template is complete.
    await admin.query(`COMMENT ON DATABASE ${TEMPLATE} IS '${fingerprint}'`);
  } finally {
    await admin.end();
  }
}

async function dropOldTestDatabases(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname LIKE 'pf\\_test\\_%'`,
  );
  for (const { datname } of rows) await admin.query(`DROP DATABASE ${admin.escapeIdentifier(datname)} WITH (FORCE)`);
}

/** Changes with anything that could change the migrated database. Hexadecimal, so it needs no quoting. */
function migrationFingerprint(): string {
  const hash = createHash('sha256');
  for (const folder of ['migrations', 'libs/database/src']) {
    const absolute = path.join(projectRoot(), folder);
    const files = readdirSync(absolute, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /(\.ts|bootstrap\.sql)$/.test(file),
    );
    for (const file of files.sort()) hash.update(`${file}\n`).update(readFileSync(path.join(absolute, file)));
  }
  return hash.digest('hex');
}

async function emptyRedis(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.flushall();
  redis.disconnect();
}
