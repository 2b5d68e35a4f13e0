import { existsSync } from 'node:fs';
import path from 'node:path';
import { libraryFolders, unpackPackages } from './system-packages';

/** Without these there is no server: in Debian `redis-server` is a link to a program of `redis-tools`. */
const needed = ['redis-server', 'redis-tools'];
/** What the server is linked with. Any of them may be built in on another release; then apt does not know its name. */
const optional = ['libjemalloc2', 'liblzf1', 'liblua5.1-0', 'lua-cjson', 'lua-bitop', 'libatomic1', 'libsystemd0'];

export interface UnpackedRedis {
  readonly command: string;
  readonly libraryPath: string;
}

/**
 * The Redis server of the distribution, without installing it.
 * @throws StackProblem when the download fails
 */
export async function downloadRedis(
  folder: string,
  env: Readonly<Record<string, string>>,
  say: (line: string) => void,
): Promise<UnpackedRedis> {
  if (!existsSync(path.join(folder, 'unpacked'))) {
    say('downloading Redis from the packages of this distribution (nothing is installed) ...');
  }
  const unpacked = await unpackPackages(folder, { needed, optional }, env);
  return { command: path.join(unpacked, 'usr/bin/redis-server'), libraryPath: libraryFolders(unpacked).join(':') };
}
