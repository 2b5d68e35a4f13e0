import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { findOnPath } from './search-path';
import { StackProblem } from './stack-problem';

export interface WantedPackages {
  readonly needed: readonly string[];
  /** Fetched one by one: a name that this release does not know must not spoil the others. */
  readonly optional: readonly string[];
}

/** True on a system whose own packages can be fetched without installing them. */
export function canDownloadPackages(env: Readonly<Record<string, string>>): boolean {
  return ['apt-get', 'dpkg'].every((tool) => findOnPath(tool, env['PATH']) !== undefined);
}

/**
 * Packages of the distribution, downloaded and unpacked into a folder of ours on the first call: nothing is installed, no
 * service started, no root needed, and the system's own package lists stay as they are. Answers the folder they are in.
 * @throws StackProblem when the download fails
 */
export async function unpackPackages(
  folder: string,
  { needed, optional }: WantedPackages,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const unpacked = path.join(folder, 'unpacked');
  if (existsSync(unpacked)) return unpacked;
  const lists = path.join(folder, 'apt', 'lists');
  const cache = path.join(folder, 'apt', 'cache');
  const debs = path.join(folder, 'apt', 'debs');
  const fresh = `${unpacked}.${process.pid}`;
  for (const target of [path.join(lists, 'partial'), path.join(cache, 'archives', 'partial'), debs, fresh]) {
    mkdirSync(target, { recursive: true });
  }
  const options = ['-q', ...aptFolders(lists, cache)];
  await run('apt-get', [...options, 'update'], folder, env);
  await run('apt-get', [...options, 'download', ...needed], debs, env);
  for (const name of optional) await run('apt-get', [...options, 'download', name], debs, env).catch(() => undefined);
  for (const file of readdirSync(debs)) await run('dpkg', ['-x', path.join(debs, file), fresh], debs, env);
  if (existsSync(unpacked)) rmSync(fresh, { recursive: true, force: true });
  else renameSync(fresh, unpacked);
  rmSync(path.join(folder, 'apt'), { recursive: true, force: true });
  return unpacked;
}

function aptFolders(lists: string, cache: string): string[] {
  return [
    `Dir::State::Lists=${lists}`,
    `Dir::Cache=${cache}`,
    // As root apt would fetch as the user _apt, who may not enter a private folder.
    `APT::Sandbox::User=root`,
    'Debug::NoLocking=1',
  ].flatMap((option) => ['-o', option]);
}

/** lib/<architecture> and usr/lib/<architecture>, whatever this machine's is called. */
export function libraryFolders(unpacked: string): string[] {
  return ['lib', 'usr/lib'].flatMap((parent) => {
    const folder = path.join(unpacked, parent);
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() && entry.name.includes('-linux-') ? [path.join(folder, entry.name)] : [],
    );
  });
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...env, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new StackProblem(`${command} ${args.at(-1) ?? ''} failed: ${output.trim().split('\n').slice(-5).join('\n')}`),
        );
    });
  });
}
