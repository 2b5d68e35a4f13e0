import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { Client } from 'pg';
import { DataFolder } from '../../tools/local-stack/data-folder';
import { ownEnvironment } from '../../tools/local-stack/environment';
import { apiPort, rememberedPort, takenText } from '../../tools/local-stack/ports';
import { preparePostgres, superuserUrl } from '../../tools/local-stack/postgres-server';
import { loadSecrets } from '../../tools/local-stack/stack-secrets';
import { Supervisor } from '../../tools/local-stack/supervisor';
import { temporaryFolder } from './fixtures';

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ answer: unknown }>(sql)).rows[0]?.answer;
  } finally {
    await client.end();
  }
}

describe('PostgreSQL of the local stack', () => {
  let folder: DataFolder;
  let server: { folder: string; port: number; password: string; durability: 'safe' | 'fast' };
  let supervisor: Supervisor;

  const restart = async () => {
    await supervisor.stopAll();
    supervisor = new Supervisor(folder, () => undefined);
    await supervisor.start(preparePostgres(server, ownEnvironment()));
  };

  beforeAll(async () => {
    // What `mktemp -d` makes: nobody but this user may enter it, which is what trips servers that run as another user.
    const priv = temporaryFolder();
    expect(statSync(priv).mode & 0o777).toBe(0o700);
    folder = new DataFolder(path.join(priv, 'clone', '.data'));
    server = {
      folder: folder.postgres,
      port: await rememberedPort(folder.path, 'postgres'),
      password: loadSecrets(folder.path).postgresPassword,
      durability: 'safe',
    };
    supervisor = new Supervisor(folder, () => undefined);
    await supervisor.start(preparePostgres(server, ownEnvironment()));
  });

  afterAll(async () => {
    await supervisor.stopAll();
  });

  it('runs in a folder that only its owner may enter, as root too', async () => {
    await expect(
      ask(superuserUrl(server), 'SELECT 18 <= split_part(version(), $$ $$, 2)::numeric AS answer'),
    ).resolves.toBe(true);
  });

  it.each([
    ['fsync', 'on'],
    ['synchronous_commit', 'on'],
    ['listen_addresses', '127.0.0.1'],
    ['unix_socket_directories', ''],
    ['shared_buffers', '256MB'],
    ['TimeZone', 'UTC'],
    ['password_encryption', 'scram-sha-256'],
  ])('has %s set to "%s"', async (name, value) => {
    await expect(ask(superuserUrl(server), `SELECT current_setting('${name}') AS answer`)).resolves.toBe(value);
  });

  it('lets nobody in without the password', async () => {
    await expect(ask(superuserUrl({ ...server, password: 'guessed' }), 'SELECT 1 AS answer')).rejects.toThrow(
      'password authentication failed',
    );
  });

  it('keeps its data over a restart', async () => {
    await ask(superuserUrl(server), 'CREATE TABLE kept AS SELECT 42 AS answer');
    await restart();
    await expect(ask(superuserUrl(server), 'SELECT answer FROM kept')).resolves.toBe(42);
  });

  it('starts although a killed run has left its lock file with a pid that is somebody else now', async () => {
    await supervisor.stopAll();
    // This very test runner: alive, but no PostgreSQL.
    writeFileSync(path.join(folder.postgres, 'postmaster.pid'), `${process.pid}\n${folder.postgres}\n`);
    await restart();
    await expect(ask(superuserUrl(server), 'SELECT 1 AS answer')).resolves.toBe(1);
  });

  it('never shares its folder with a server that is still running there', () => {
    expect(() => preparePostgres(server, ownEnvironment())).toThrow(
      /another PostgreSQL server \(process \d+\) works on/,
    );
  });
});

describe('secrets of the local stack', () => {
  it('are made once, all different, readable by their owner alone', () => {
    const folder = temporaryFolder();
    const secrets = loadSecrets(folder);
    expect(loadSecrets(folder)).toEqual(secrets);
    expect(new Set(Object.values(secrets)).size).toBe(Object.keys(secrets).length);
    expect(statSync(path.join(folder, 'secrets.json')).mode & 0o777).toBe(0o600);
    expect(secrets.awsAccessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
  });

  it('gain what a later version needs without losing what data is already locked with', () => {
    const folder = temporaryFolder();
    const { redisPassword, ...older } = loadSecrets(folder);
    writeFileSync(path.join(folder, 'secrets.json'), JSON.stringify(older));
    const secrets = loadSecrets(folder);
    expect(secrets).toMatchObject(older);
    expect(secrets.redisPassword).not.toBe(redisPassword);
    expect(JSON.parse(readFileSync(path.join(folder, 'secrets.json'), 'utf8'))).toEqual(secrets);
  });
});

describe('ports of the local stack', () => {
  const occupy = (port: number) =>
    new Promise<{ port: number; release: () => Promise<void> }>((resolve) => {
      const server = createServer().listen(port, '127.0.0.1', () => {
        const address = server.address();
        resolve({
          port: typeof address === 'object' && address !== null ? address.port : port,
          release: () =>
            new Promise((done) => {
              server.close(() => {
                done();
              });
            }),
        });
      });
    });

  it('stay the same while they are free, and give way when they are taken', async () => {
    const folder = temporaryFolder();
    const first = await rememberedPort(folder, 'redis');
    await expect(rememberedPort(folder, 'redis')).resolves.toBe(first);
    const taken = await occupy(first);
    const second = await rememberedPort(folder, 'redis');
    await taken.release();
    expect(second).not.toBe(first);
    await expect(rememberedPort(folder, 'redis')).resolves.toBe(second);
  });

  it('are never shared by two services', async () => {
    const folder = temporaryFolder();
    const ports = [];
    for (const service of ['postgres', 'redis', 'worker', 'simulator'])
      ports.push(await rememberedPort(folder, service));
    expect(new Set(ports).size).toBe(ports.length);
  });

  it('refuse the one the user insists on when it is taken, naming who has it, and otherwise move on to the next', async () => {
    const taken = await occupy(0);
    const holder = `port ${taken.port} is taken by process ${process.pid} (`;
    await expect(apiPort(taken.port)).rejects.toThrow(holder);
    await expect(takenText(taken.port)).resolves.toContain(holder);
    const next = await apiPort(undefined, taken.port);
    await taken.release();
    expect(next.port).toBeGreaterThan(taken.port);
    expect(next.port).toBeLessThan(taken.port + 100);
    expect(next.remark).toMatch(/^port \d+ is taken by process \d+ \(.*; the api takes \d+ \(--port names another\)$/);
    await expect(takenText(taken.port)).resolves.toBeUndefined();
    await expect(apiPort(undefined, taken.port)).resolves.toEqual({ port: taken.port });
  });
});
