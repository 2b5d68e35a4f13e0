import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports CPU time in hundredths of a second, on every architecture Node runs on. */
const TICK_MS = 10;

interface ProcessStat {
  readonly parent: number;
  /** Own time and that of children that have ended and were waited for, milliseconds. */
  readonly ownMs: number;
  readonly endedChildrenMs: number;
}

/** A process and everything below it, by pid. */
export type ProcessTree = ReadonlyMap<number, ProcessStat>;

export function readTree(root: number): ProcessTree {
  const all = readAll();
  const members = [root];
  for (let i = 0; i < members.length; i += 1) {
    for (const [pid, stat] of all) if (stat.parent === members[i]) members.push(pid);
  }
  return new Map(
    members.flatMap((pid) => {
      const stat = all.get(pid);
      return stat ? [[pid, stat]] : [];
    }),
  );
}

/** What a process and everything below it has used so far, milliseconds of CPU. Ended children count through their parent. */
export function treeCpuMs(root: number): number {
  return [...readTree(root).values()].reduce((sum, { ownMs, endedChildrenMs }) => sum + ownMs + endedChildrenMs, 0);
}

/**
 * What a tree used between two looks, milliseconds of CPU. Of a process whose parent was killed with it nobody is told what it
 * used since the first look; what it had used before must not be taken off again.
 */
export function treeGrowthMs(before: ProcessTree, after: ProcessTree): number {
  let [own, inherited] = [0, 0];
  for (const [pid, now] of after) {
    const then = before.get(pid);
    own += now.ownMs - (then?.ownMs ?? 0);
    inherited += now.endedChildrenMs - (then?.endedChildrenMs ?? 0);
  }
  for (const [pid, then] of before) {
    if (!after.has(pid) && after.has(then.parent)) inherited -= then.ownMs + then.endedChildrenMs;
  }
  return Math.max(0, own) + Math.max(0, inherited);
}

/** Resident memory of a process in MiB. */
export function residentMb(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return (pages * 4_096) / 1_048_576;
}

/** CPU time of the whole machine so far, milliseconds: busy in all, and of all cores together. */
export function machineCpuMs(): { busy: number; total: number } {
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = fields;
  const busy = user + nice + system + irq + soft + steal;
  return { busy: busy * TICK_MS, total: (busy + idle + wait) * TICK_MS };
}

function readAll(): Map<number, ProcessStat> {
  const all = new Map<number, ProcessStat>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat) all.set(Number(name), stat);
  }
  return all;
}

function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // ended between the listing and this
  }
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  return {
    parent: fields[1] ?? 0,
    ownMs: (user + system) * TICK_MS,
    endedChildrenMs: (childUser + childSystem) * TICK_MS,
  };
}
