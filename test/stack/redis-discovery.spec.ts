import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findRedis } from '../../tools/local-stack/redis-discovery';
import { checkForeignRedis } from '../../tools/local-stack/redis-server';
import { startRedisCluster } from '../support/redis-cluster';
import { temporaryFolder } from './fixtures';

/** A folder for a PATH, with programs that are shell scripts. */
function folderWith(programs: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  return folder;
}

const quiet = () => undefined;

describe('where Redis comes from', () => {
  it('prefers REDIS_URL to everything', async () => {
    const programs = folderWith({ 'redis-server': 'exit 0', 'valkey-server': 'exit 0' });
    const env = { PATH: programs, REDIS_URL: 'redis://redis.example:6379' };
    await expect(findRedis(env, temporaryFolder(), quiet)).resolves.toEqual({
      kind: 'url',
      url: 'redis://redis.example:6379',
    });
  });

  it('then takes redis-server from the PATH, also when valkey-server comes earlier on it', async () => {
    const [valkey, redis] = [folderWith({ 'valkey-server': 'exit 0' }), folderWith({ 'redis-server': 'exit 0' })];
    await expect(findRedis({ PATH: `${valkey}:${redis}`, REDIS_URL: '' }, temporaryFolder(), quiet)).resolves.toEqual({
      kind: 'program',
      command: path.join(redis, 'redis-server'),
    });
  });

  it('then valkey-server', async () => {
    const programs = folderWith({ 'valkey-server': 'exit 0' });
    await expect(findRedis({ PATH: programs }, temporaryFolder(), quiet)).resolves.toEqual({
      kind: 'program',
      command: path.join(programs, 'valkey-server'),
    });
  });

  it('passes over what only has the name: a folder, or a file that cannot be run', async () => {
    const programs = folderWith({ 'valkey-server': 'exit 0' });
    mkdirSync(path.join(programs, 'redis-server'));
    const plain = temporaryFolder();
    writeFileSync(path.join(plain, 'redis-server'), 'text');
    await expect(findRedis({ PATH: `${plain}:${programs}` }, temporaryFolder(), quiet)).resolves.toMatchObject({
      command: path.join(programs, 'valkey-server'),
    });
  });

  it('then unpacks the packages of the distribution, without touching the system, and only once', async () => {
    const calls = path.join(temporaryFolder(), 'calls');
    const programs = folderWith({
      // Answers as apt would: the last argument is the package; a library that this release does not know is an error.
      'apt-get': `echo "apt-get $*" >> ${calls}
for last; do :; done
case "$last" in update) ;; lua-bitop) exit 100 ;; *) /bin/echo x > "$last.deb" ;; esac`,
      dpkg: `/bin/mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu" && echo x > "$3/usr/bin/redis-server"`,
    });
    const packages = temporaryFolder();
    const found = await findRedis({ PATH: programs }, packages, quiet);
    expect(found).toEqual({
      kind: 'program',
      command: path.join(packages, 'unpacked/usr/bin/redis-server'),
      libraryPath: path.join(packages, 'unpacked/usr/lib/x86_64-linux-gnu'),
    });
    const lines = readFileSync(calls, 'utf8').trim().split('\n');
    for (const line of lines) {
      expect(line).toContain(`Dir::State::Lists=${packages}`);
      expect(line).toContain(`Dir::Cache=${packages}`);
      expect(line).not.toContain(' install');
    }
    await findRedis({ PATH: programs }, packages, quiet);
    expect(readFileSync(calls, 'utf8').trim().split('\n')).toHaveLength(lines.length);
  });

  it('says what to run, and why the download failed, when there is none', async () => {
    const programs = folderWith({ 'apt-get': 'echo "E: no network" >&2; exit 100', dpkg: 'exit 0' });
    const packages = temporaryFolder();
    const search = findRedis({ PATH: programs }, packages, quiet);
    await expect(search).rejects.toThrow(
      /E: no network[^]*brew install redis[^]*apt-get install redis-server[^]*REDIS_URL/,
    );
    expect(existsSync(path.join(packages, 'unpacked'))).toBe(false);
  });

  it('says what to run on a system without packages of its own', async () => {
    await expect(findRedis({ PATH: temporaryFolder() }, temporaryFolder(), quiet)).rejects.toThrow(
      /No Redis was found\. Do one of these and start again:[^]*brew install redis/,
    );
  });

  it('takes a REDIS_URL that names nodes of a cluster, and refuses it when they are gone', async () => {
    const cluster = await startRedisCluster(temporaryFolder());
    try {
      await expect(checkForeignRedis(cluster.url)).resolves.toBeUndefined();
      await expect(checkForeignRedis(`${cluster.url.split(',')[0]!}?cluster=true`)).resolves.toBeUndefined();
    } finally {
      await cluster.stop();
    }
    await expect(checkForeignRedis(cluster.url)).rejects.toThrow(/that server does not answer/);
  });

  it.each(['localhost:6379', 'http://127.0.0.1'])('refuses "%s" as a REDIS_URL', async (url) => {
    await expect(checkForeignRedis(url)).rejects.toThrow(/no address of Redis/);
  });

  it('refuses a REDIS_URL whose server does not answer, and says so', async () => {
    await expect(checkForeignRedis('redis://127.0.0.1:1')).rejects.toThrow(
      /REDIS_URL is set, but that server does not answer \(.*ECONNREFUSED.*\)/,
    );
  });
});
