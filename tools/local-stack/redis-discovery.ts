import { downloadRedis } from './redis-packages';
import { findOnPath } from './search-path';
import { StackProblem } from './stack-problem';
import { canDownloadPackages } from './system-packages';

export type RedisSource =
  /** A server that somebody else runs. */
  | { readonly kind: 'url'; readonly url: string }
  /** A program to start a server of our own with. */
  | { readonly kind: 'program'; readonly command: string; readonly libraryPath?: string };

/**
 * Where Redis comes from, in this order: REDIS_URL; redis-server or valkey-server on the PATH; the packages of Debian or
 * Ubuntu, unpacked privately.
 * @throws StackProblem saying what to run when there is none
 */
export async function findRedis(
  env: Readonly<Record<string, string>>,
  packagesFolder: string,
  say: (line: string) => void,
): Promise<RedisSource> {
  const url = env['REDIS_URL'];
  if (url !== undefined && url !== '') return { kind: 'url', url };
  for (const name of ['redis-server', 'valkey-server']) {
    const command = findOnPath(name, env['PATH']);
    if (command !== undefined) return { kind: 'program', command };
  }
  if (!canDownloadPackages(env)) throw new StackProblem(howToGetRedis('No Redis was found.'));
  try {
    return { kind: 'program', ...(await downloadRedis(packagesFolder, env, say)) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StackProblem(howToGetRedis(`No Redis was found, and its packages could not be downloaded (${reason}).`));
  }
}

function howToGetRedis(reason: string): string {
  return (
    `${reason} Do one of these and start again:\n` +
    '    brew install redis                        (macOS)\n' +
    '    sudo apt-get install redis-server         (Debian, Ubuntu)\n' +
    '    sudo dnf install valkey                   (Fedora)\n' +
    '    apk add redis                             (Alpine)\n' +
    '    export REDIS_URL=redis://<host>:6379      (a server that runs already; 6.2 or newer, maxmemory-policy noeviction)'
  );
}
