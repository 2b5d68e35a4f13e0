import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { commandLineOf } from './process-identity';

/** Who listens on a port of this machine. */
export interface PortHolder {
  readonly pid: number;
  readonly commandLine: string;
}

/** Who listens on that port; undefined where nobody does, or the system does not tell (another user's process, no /proc). */
export function portHolder(port: number): PortHolder | undefined {
  const sockets = listeningSockets(port);
  if (sockets === undefined || sockets.size === 0) return undefined;
  const pid = processIds().find((candidate) => holdsOneOf(candidate, sockets));
  return pid === undefined ? undefined : { pid, commandLine: (commandLineOf(pid) ?? '').trim() };
}

/**
 * False when somebody else than that process answers on the port: a neighbour that was faster is healthy too. True as well
 * where the system does not tell.
 */
export function isListener(pid: number, port: number): boolean {
  const sockets = listeningSockets(port);
  return sockets === undefined || holdsOneOf(pid, sockets);
}

/** What /proc calls the sockets that listen on that port, whatever their address. */
function listeningSockets(port: number): Set<string> | undefined {
  if (process.platform !== 'linux') return undefined;
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const found = new Set<string>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of textOf(file).split('\n')) {
      // sl, local address, remote address, state (0A listens), queues, timer, retransmits, uid, timeout, inode
      const fields = line.trim().split(/\s+/);
      if (fields[3] === '0A' && fields[1]?.endsWith(ending) === true) found.add(`socket:[${fields[9] ?? ''}]`);
    }
  }
  return found;
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function holdsOneOf(pid: number, sockets: ReadonlySet<string>): boolean {
  const folder = `/proc/${String(pid)}/fd`;
  let descriptors: string[];
  try {
    descriptors = readdirSync(folder);
  } catch {
    return false; // ended meanwhile, or another user's
  }
  return descriptors.some((descriptor) => {
    try {
      return sockets.has(readlinkSync(`${folder}/${descriptor}`));
    } catch {
      return false; // closed meanwhile
    }
  });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // a kernel without IPv6 has no second one
  }
}
