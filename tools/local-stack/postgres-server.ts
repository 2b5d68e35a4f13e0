import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import type { ChildSpec } from './child';
import { choosePostgresAccount, underAccount, type PostgresAccount } from './postgres-account';
import { findPostgresPrograms } from './postgres-programs';
import { commandLineOf } from './process-identity';
import { StackProblem } from './stack-problem';

export interface PostgresOptions {
  readonly folder: string;
  readonly port: number;
  readonly password: string;
  /** `safe`: every commit is on disk when it is answered. `fast`: for tests, whose data nobody needs after a power cut. */
  readonly durability: 'safe' | 'fast';
}

const superuser = 'postgres';

/** The URL of the superuser for a database of that server. */
export function superuserUrl(options: Pick<PostgresOptions, 'port' | 'password'>, database = 'postgres'): string {
  return `postgres://${superuser}:${options.password}@127.0.0.1:${options.port}/${database}`;
}

/**
 * Prepares the data folder (created on the first call) and answers how to start a PostgreSQL server on it. The server
 * listens on the loopback address only and has no socket file, whose path could be too long in a deep folder.
 * The caller must hold the lock of the data folder.
 * @throws StackProblem when it cannot run here
 */
export function preparePostgres(options: PostgresOptions, env: Readonly<Record<string, string>>): ChildSpec {
  const programs = findPostgresPrograms();
  const account = choosePostgresAccount([programs.postgres, options.folder]);
  if (!existsSync(path.join(options.folder, 'PG_VERSION'))) createCluster(programs.initdb, account, options, env);
  removeStaleLock(options.folder);
  const args = ['-D', options.folder, '-p', String(options.port), ...settings(options)];
  return {
    name: 'postgres',
    ...underAccount(account, programs.postgres, args),
    env: { ...env, LC_ALL: 'C', TZ: 'UTC' },
    markers: [options.folder],
    isReady: () => answers(superuserUrl(options)),
    readyWithinMs: 60_000, // replaying the log after a kill takes its time
    stopSignal: 'SIGINT', // "fast": roll back what is open, write a checkpoint, end
    stopWithinMs: 20_000,
  };
}

function createCluster(
  initdb: string,
  account: PostgresAccount,
  options: PostgresOptions,
  env: Readonly<Record<string, string>>,
): void {
  // A folder without PG_VERSION holds at most what an interrupted initdb left, and initdb refuses to go on from there.
  rmSync(options.folder, { recursive: true, force: true });
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const passwordFile = `${options.folder}.password`;
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (account.kind === 'user')
    for (const file of [options.folder, passwordFile]) chownSync(file, account.uid, account.gid);
  const run = underAccount(account, initdb, [
    `--pgdata=${options.folder}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    // The same order of text and the same upper case on every machine, whatever locales it has.
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(options.durability === 'fast' ? ['--no-sync'] : []),
  ]);
  const result = spawnSync(run.command, run.args, {
    env: { ...env, LC_ALL: 'C', TZ: 'UTC' },
    encoding: 'utf8',
    ...run.runAs,
  });
  rmSync(passwordFile, { force: true });
  if (result.status === 0) return;
  rmSync(options.folder, { recursive: true, force: true });
  throw new StackProblem(`PostgreSQL's initdb failed: ${result.error?.message ?? result.stderr.trim()}`);
}

/** Sized for two cores and a laptop's memory. */
function settings({ durability }: PostgresOptions): string[] {
  const values: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '256MB',
    effective_cache_size: '1GB',
    random_page_cost: '1.1',
    // Nothing replicates from here; less log per commit.
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    // Compiling expressions costs more than it saves in queries of a millisecond.
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durability === 'safe'
      ? { fsync: 'on', synchronous_commit: 'on' }
      : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/**
 * A killed server leaves its lock file, and PostgreSQL refuses to start when the pid in it has been given to any other
 * process since. Only a process that works on this very folder is a reason not to start.
 */
function removeStaleLock(folder: string): void {
  const file = path.join(folder, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (commandLineOf(pid)?.includes(folder) === true) {
    throw new StackProblem(
      `another PostgreSQL server (process ${pid}) works on ${folder}; stop it with: kill -INT ${pid}`,
    );
  }
  rmSync(file, { force: true });
}

/** True when a connection with this URL can be opened and answers. */
async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined); // a server that goes away again is simply not ready
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
