import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { Client } from 'pg';
import { ownEnvironment } from '../../tools/local-stack/environment';
import { rememberedPort } from '../../tools/local-stack/ports';
import { superuserUrl } from '../../tools/local-stack/postgres-server';
import { projectRoot } from '../../tools/local-stack/project-root';
import { isHealthy } from '../../tools/local-stack/reachable';
import { roleUrls } from '../../tools/local-stack/role-urls';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis, type TestRedis } from '../support/redis';
import { testStackFacts } from '../support/test-stack';
import { waitFor } from '../support/wait-for';
import { runNode, temporaryFolder } from './fixtures';

jest.setTimeout(180_000);

/** Runs a program on the services of these variables and no others. */
function run(program: string, variables: Record<string, string>, args: readonly string[] = []) {
  const clean = Object.entries(ownEnvironment()).filter(
    ([name]) => !/^(DATABASE_|REDIS_|AWS_|API_|WORKER_)/.test(name),
  );
  return runNode([path.join(projectRoot(), 'tools/run.mjs'), program, ...args], {
    env: { ...Object.fromEntries(clean), ...variables },
  });
}

/** The error alone, without what npm and the compiler may have said before it. */
async function failure(program: string, variables: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await run(program, variables).ended;
  expect(code).toBe(1);
  expect(stdout + stderr).not.toMatch(/^\s+at /m); // a stack trace
  return stderr;
}

function without(variables: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([key]) => key !== name));
}

describe('programs on services of your own', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let taken: Server;
  let takenPort: number;
  let api: Record<string, string>;
  let worker: Record<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await createTestRedis();
    taken = createServer();
    takenPort = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    api = {
      API_PORT: '0',
      DATABASE_APP_URL: database.urls.app,
      DATABASE_ADMIN_URL: database.urls.admin,
      REDIS_URL: redis.url,
      API_KEY_PEPPER: randomBytes(32).toString('hex'),
      PUBLIC_URL: 'http://127.0.0.1:3000',
    };
    worker = {
      WORKER_PORT: '0',
      DATABASE_WORKER_URL: database.urls.worker,
      REDIS_URL: redis.url,
      PUBLIC_URL: 'http://127.0.0.1:3000',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    };
  });

  afterAll(async () => {
    taken.close();
    await redis.close();
    await database.drop();
  });

  const variablesOf = (program: string) => (program === 'api' ? api : worker);
  const elsewhere = 'postgres://pf_app:secret-password@127.0.0.1:1/postfleet';

  it.each([
    ['api', 'DATABASE_APP_URL'],
    ['api', 'DATABASE_ADMIN_URL'],
    ['api', 'REDIS_URL'],
    ['api', 'API_KEY_PEPPER'],
    ['worker', 'DATABASE_WORKER_URL'],
    ['worker', 'REDIS_URL'],
    ['worker', 'PUBLIC_URL'],
  ])('%s names %s when it is missing', async (program, variable) => {
    await expect(failure(program, without(variablesOf(program), variable))).resolves.toContain(`${variable}: `);
  });

  it.each([
    ['api', 'API_PORT', '70000'],
    ['api', 'DATABASE_APP_URL', 'mysql://somewhere'],
    ['api', 'API_KEY_PEPPER', 'short'],
    ['worker', 'WORKER_PORT', 'http'],
    ['worker', 'AWS_ENDPOINT_URL', '127.0.0.1:4566'],
    ['worker', 'IN_DOUBT_AFTER_BULK_MS', '-1'],
  ])('%s names %s when it is "%s"', async (program, variable, value) => {
    await expect(failure(program, { ...variablesOf(program), [variable]: value })).resolves.toContain(`${variable}: `);
  });

  it.each([
    ['api', 'DATABASE_APP_URL'],
    ['worker', 'DATABASE_WORKER_URL'],
  ])('%s names %s when no database answers there, and keeps the password to itself', async (program, variable) => {
    const text = await failure(program, { ...variablesOf(program), [variable]: elsewhere });
    expect(text).toContain(`${variable}: the database cannot be reached`);
    expect(text).toContain('ECONNREFUSED');
    expect(text).not.toContain('secret-password');
  });

  it.each(['api', 'worker'])('%s says so when no Redis answers', async (program) => {
    const text = await failure(program, { ...variablesOf(program), REDIS_URL: 'redis://127.0.0.1:1' });
    expect(text).toMatch(/REDIS_URL: Redis cannot be reached at 127\.0\.0\.1:1 \(.*ECONNREFUSED.*\)/);
  });

  it.each([
    ['api', 'API_PORT'],
    ['worker', 'WORKER_PORT'],
  ])('%s names a taken port', async (program, variable) => {
    const text = await failure(program, { ...variablesOf(program), [variable]: String(takenPort) });
    expect(text).toMatch(new RegExp(`${variable}: .*${takenPort}.* is taken`));
  });

  it.each([
    ['api', 'DATABASE_APP_URL'],
    ['worker', 'DATABASE_WORKER_URL'],
  ])('%s refuses %s of a superuser, whom row-level security does not bind', async (program, variable) => {
    const text = await failure(program, { ...variablesOf(program), [variable]: database.superuserUrl });
    expect(text).toContain(`${variable} connects as "postgres", a role that row-level security does not bind`);
  });

  it.each([
    ['api', 'DATABASE_ADMIN_URL', 'app', 'pf_admin'],
    ['worker', 'DATABASE_WORKER_URL', 'admin', 'pf_worker'],
  ] as const)('%s refuses %s of another program, and names its own role', async (program, variable, other, own) => {
    const text = await failure(program, { ...variablesOf(program), [variable]: database.urls[other] });
    expect(text).toContain(`${variable} connects as "pf_${other}", which has other rights`);
    expect(text).toContain(`Use ${own}, the role made for it`);
  });

  it('worker says so when it may not write where it records what it sends', async () => {
    const text = await failure('worker', { ...worker, RECORDER_DIR: '/dev/null/recorder' });
    expect(text).toContain('RECORDER_DIR: /dev/null/recorder cannot be written (ENOTDIR');
  });

  it('makes a database from nothing, migrates it before the worker starts, and drains on Ctrl-C', async () => {
    const { postgresPort, secrets } = testStackFacts();
    const name = `pf_test_${randomBytes(6).toString('hex')}`;
    const urls = roleUrls(secrets, postgresPort, name);
    const server = superuserUrl({ port: postgresPort, password: secrets.postgresPassword });
    const roles = {
      DATABASE_MIGRATE_URL: urls.migrate,
      DATABASE_APP_URL: urls.app,
      DATABASE_ADMIN_URL: urls.admin,
      DATABASE_WORKER_URL: urls.worker,
    };
    try {
      // The worker alone, on a server where that database is not even there.
      await expect(failure('db:migrate', roles)).resolves.toContain('Run "npm run db:bootstrap" to create it.');
      for (const time of ['first', 'second']) {
        const made = await run('db:bootstrap', { ...roles, DATABASE_SUPERUSER_URL: server }).ended;
        expect({ time, code: made.code }).toEqual({ time, code: 0 });
      }
      await expect(failure('worker', { ...worker, DATABASE_WORKER_URL: urls.worker })).resolves.toContain(
        'npm run db:migrate',
      );

      const port = String(await rememberedPort(temporaryFolder(), 'worker'));
      const started = run('worker', {
        ...worker,
        DATABASE_WORKER_URL: urls.worker,
        DATABASE_MIGRATE_URL: urls.migrate,
        WORKER_PORT: port,
      });
      await waitFor(() => isHealthy(`http://127.0.0.1:${port}/health/ready`), {
        what: 'the worker to be ready',
        withinMs: 60_000,
      });
      expect(started.output()).toContain('migrations run: ');
      // As Ctrl-C arrives through npm: twice. The second one must not cut the drain short.
      started.child.kill('SIGINT');
      await waitFor(() => started.output().includes('worker stopping'), { what: 'the first signal to be taken' });
      started.child.kill('SIGINT');
      expect((await started.ended).code).toBe(0);
      expect(started.output()).toContain('worker drained');

      const again = await run('db:migrate', roles).ended;
      expect(again.stderr).toContain('no migration was pending');
    } finally {
      const client = new Client({ connectionString: server });
      await client.connect();
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await client.end();
    }
  });

  it.each(['db:migrate', 'db:bootstrap'])(
    '%s explains itself, and does nothing when it is given an option',
    async (name) => {
      const help = await run(name, {}, ['--help']).ended;
      expect({ code: help.code, stderr: help.stderr }).toEqual({ code: 0, stderr: '' });
      expect(help.stdout).toMatch(new RegExp(`^Usage: npm run ${name}\n`));
      const { code, stdout, stderr } = await run(name, {}, ['--dry-run']).ended;
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('error: unknown option "--dry-run"; there are none.\n');
    },
  );

  it('a key for a role that there is not is refused with those there are', async () => {
    const { code, stdout, stderr } = await run('operator-key', api, ['--name', 'ann', '--role', 'king']).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('operator-key: there is no role "king"; the roles are viewer, operator, owner\n');
  });
});
