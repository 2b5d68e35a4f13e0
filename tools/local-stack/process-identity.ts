import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Who a pid was when it was noted down. A pid alone is not enough to kill by: the number is given to another process sooner
 * or later, so its start time and its command line must match too.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in the system's own unit and text, compared only for equality. */
  readonly started: string;
  /** The command line must contain at least one of these. Several, because Redis rewrites its own after starting. */
  readonly markers: readonly string[];
}

interface ProcessFacts {
  readonly started: string;
  readonly commandLine: string;
}

/** The identity of a running process, or undefined when it has ended already. */
export function identify(pid: number, markers: readonly string[]): ProcessIdentity | undefined {
  const facts = factsOf(pid);
  return facts && { pid, started: facts.started, markers };
}

/** True only while exactly that process runs; a zombie, which can do no more harm, counts as ended. */
export function isRunning(identity: ProcessIdentity): boolean {
  const facts = factsOf(identity.pid);
  if (facts?.started !== identity.started) return false;
  return identity.markers.some((marker) => facts.commandLine.includes(marker));
}

/** The command line of a pid with its parts separated by spaces, or undefined when there is no such process. */
export function commandLineOf(pid: number): string | undefined {
  return factsOf(pid)?.commandLine;
}

function factsOf(pid: number): ProcessFacts | undefined {
  return process.platform === 'linux' ? factsFromProc(pid) : factsFromPs(pid);
}

function factsFromProc(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, started] = [fields[0], fields[19]];
    if (state === 'Z' || started === undefined) return undefined;
    return { started, commandLine: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') };
  } catch {
    return undefined; // ended between the two reads, or never there
  }
}

function factsFromPs(pid: number): ProcessFacts | undefined {
  const answer = spawnSync('ps', ['-ww', '-p', String(pid), '-o', 'stat=,lstart=,command='], { encoding: 'utf8' });
  const match = /^\s*(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/s.exec(answer.stdout);
  const [, state, started, commandLine] = match ?? [];
  if (state === undefined || started === undefined || commandLine === undefined || state.startsWith('Z'))
    return undefined;
  return { started, commandLine };
}
