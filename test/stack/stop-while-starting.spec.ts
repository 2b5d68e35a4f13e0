import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import { newId, type BatchId } from '@libs/kernel';
import { Client } from 'pg';
import { projectRoot } from '../../tools/local-stack/project-root';
import { waitFor } from '../support/wait-for';
import { SendingStack } from '../worker/sending-stack';
import { temporaryFolder } from './fixtures';

const programOf = (file: string) => path.join(projectRoot(), 'dist', file);
const mainOf = (app: string) => programOf(`apps/${app}/src/main.js`);

describe('a program that is stopped before it is ready', () => {
  let stack: SendingStack;
  /** Takes connections and never says a word. */
  let silent: Server;
  let silentPort: number;

  beforeAll(async () => {
    if (!existsSync(mainOf('api'))) throw new Error('build the programs first: npm run build');
    stack = await SendingStack.start();
  });
  beforeEach(async () => {
    silent = createServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    silentPort = (silent.address() as AddressInfo).port;
  });
  afterEach(() => new Promise((resolve) => silent.close(resolve)));
  afterAll(() => stack.close());

  function migrateUrl(): string {
    const url = new URL(stack.database.urls.migrate);
    url.port = String(silentPort);
    return url.href;
  }

  /** The variables of each program, with PostgreSQL, Redis or both of them silent. */
  function environment(app: string, ...isSilent: ('postgres' | 'redis')[]): Record<string, string> {
    const database = (url: string) => {
      const changed = new URL(url);
      if (isSilent.includes('postgres')) changed.port = String(silentPort);
      return changed.href;
    };
    const { app: asApp, admin, worker } = stack.database.urls;
    const redis = isSilent.includes('redis') ? `redis://127.0.0.1:${silentPort}` : stack.redis.url;
    switch (app) {
      case 'api':
        return {
          NODE_ENV: 'test',
          API_PORT: '0',
          DATABASE_APP_URL: database(asApp),
          DATABASE_ADMIN_URL: database(admin),
          REDIS_URL: redis,
          API_KEY_PEPPER: 'p'.repeat(32),
        };
      case 'worker':
        return stack.workerEnvironment({ DATABASE_WORKER_URL: database(worker), REDIS_URL: redis, LOG_LEVEL: 'info' });
      default:
        return { SIMULATOR_PORT: '0', SIMULATOR_ADMIN_PORT: '0', SIMULATOR_DATA_DIR: temporaryFolder() };
    }
  }

  function start(app: string, env: Record<string, string>, flags: readonly string[] = []) {
    return run([...flags, mainOf(app)], env);
  }

  function run(args: readonly string[], env: Record<string, string>) {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise<{ code: number | null; signal: string | null; said: string }>((resolve) => {
      child.once('close', (code, signal) => {
        resolve({ code, signal, said });
      });
    });
    return { child, ended, said: () => said };
  }

  it.each(['api', 'worker', 'simulator'])('%s hears it while it is being loaded', async (app) => {
    // The first thing that the program needs of its libs asks for the end of the process.
    const hook = path.join(temporaryFolder(), 'hook.cjs');
    writeFileSync(
      hook,
      `const Module = require('node:module'), load = Module._load; let sent = false;
       Module._load = function (request, ...rest) {
         if (!sent && /config/.test(request)) { sent = true; process.kill(process.pid, 'SIGTERM'); }
         return load.call(this, request, ...rest);
       };`,
    );
    const { ended } = start(app, environment(app, 'postgres'), ['--require', hook]);
    expect(await ended).toMatchObject({ code: 0, signal: null });
  });

  it.each([
    ['api', 'postgres'],
    ['api', 'redis'],
    ['worker', 'postgres'],
    ['worker', 'redis'],
  ] as const)('%s ends while %s keeps it waiting', async (app, service) => {
    const called = once(silent, 'connection');
    const { child, ended } = start(app, environment(app, service));
    await called;
    child.kill('SIGTERM');
    const { code, signal, said } = await ended;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(said).toContain(`${app} stopping`);
    expect(said).not.toMatch(/cannot be reached|did not stop cleanly/);
  });

  it.each([
    ['apps/api/src/billing-close.js', '--period', '2026-10'],
    ['apps/api/src/operator-key.js', '--name', 'ann', '--role', 'viewer'],
    ['tools/database/migrate.js'],
  ])('the command %s ends with the exit code of the signal', async (file, ...args) => {
    const called = once(silent, 'connection');
    const env = environment('api', 'postgres');
    const { child, ended } = run([programOf(file), ...args], { ...env, DATABASE_MIGRATE_URL: migrateUrl() });
    await called;
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, signal: null });
  });

  it('a worker replays to its end what it had begun to replay, takes nothing up, and ends', async () => {
    const account = await stack.account();
    writeFileSync(path.join(stack.recorderDir, 'gone.1.1.flight'), `C ${newId<BatchId>()} ${account.id}\n`);
    const blocking = new Client({ connectionString: stack.database.superuserUrl });
    await blocking.connect();
    try {
      await blocking.query('BEGIN; LOCK TABLE batch');
      const { child, ended, said } = start('worker', environment('worker'));
      await waitFor(async () => (await stack.query('SELECT 1 FROM pg_locks WHERE NOT granted')).length > 0, {
        what: 'the worker to begin the replay',
      });
      child.kill('SIGTERM');
      await waitFor(() => said().includes('worker stopping'), { what: 'the signal to be heard' });
      await blocking.query('COMMIT');
      const end = await ended;
      expect(end).toMatchObject({ code: 0, signal: null });
      expect(end.said).toContain('replayed the record of a dead worker');
      expect(end.said).not.toContain('worker ready');
      expect(readdirSync(stack.recorderDir).filter((file) => file.startsWith('gone'))).toEqual([]);
    } finally {
      await blocking.end();
    }
  });
});
