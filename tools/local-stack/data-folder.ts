import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { identify, isRunning, type ProcessIdentity } from './process-identity';
import { projectRoot } from './project-root';
import { StackProblem, UsageProblem } from './stack-problem';

/** Says that a folder is a stack's own and what stands in it may be deleted. */
const MARKER = '.postfleet-data';
/** What every file system has at its root. */
const NOBODYS = new Set(['lost+found', '.DS_Store']);

/**
 * The folder that holds everything one local stack keeps. Only one stack at a time may use it, and only one that a stack has
 * made or found empty: a start may delete what it finds there.
 */
export class DataFolder {
  constructor(readonly path: string) {}

  get postgres(): string {
    return path.join(this.path, 'postgres');
  }

  get redis(): string {
    return path.join(this.path, 'redis');
  }

  get simulator(): string {
    return path.join(this.path, 'simulator');
  }

  /** Where a worker writes what it is about to send, so that its successor knows after a SIGKILL. */
  get recorder(): string {
    return path.join(this.path, 'recorder');
  }

  get logs(): string {
    return path.join(this.path, 'logs');
  }

  /** One small file per child process: who it is, so that a later start can end what a killed one left behind. */
  get children(): string {
    return path.join(this.path, 'run');
  }

  /**
   * Takes the folder for this process.
   * @throws StackProblem when another live stack uses it
   * @throws UsageProblem when it is somebody else's, or cannot be written
   */
  lock(): void {
    if (this.tryLock()) return;
    const owner = this.owner();
    throw new StackProblem(
      `the local stack already runs in ${this.path} (process ${owner?.pid ?? 'unknown'}). Stop it with Ctrl-C there, or with: kill ${owner?.pid ?? '<pid>'}`,
    );
  }

  /** Takes the folder for this process, or answers false when a live one holds it. @throws UsageProblem as lock() does */
  tryLock(): boolean {
    this.claim();
    // Written aside and linked into place: a lock that exists is complete, and only one link can succeed.
    const mine = `${this.lockFile}.${process.pid}`;
    writeJson(mine, identify(process.pid, [path.basename(process.execPath)]));
    try {
      for (;;) {
        if (linkUnlessThere(mine, this.lockFile)) return true;
        const owner = this.owner();
        if (owner && isRunning(owner)) return false;
        this.breakLock(owner);
      }
    } finally {
      rmSync(mine, { force: true });
    }
  }

  unlock(): void {
    if (this.owner()?.pid === process.pid) rmSync(this.lockFile, { force: true });
  }

  /**
   * Deletes what the last run left, except what is expensive to fetch and holds no data (downloaded packages).
   * The folder must be locked and none of its children may run.
   */
  reset(): void {
    if (!existsSync(this.marker)) throw new Error(`${this.path} is not marked as a stack's own; lock it first`);
    for (const file of [
      'postgres',
      'redis/data',
      'redis-1',
      'redis-2',
      'redis-3',
      'redis-replica',
      'simulator',
      'recorder',
      'logs',
      'run',
      'secrets.json',
      'fleet.json',
    ]) {
      rmSync(path.join(this.path, file), { recursive: true, force: true });
    }
  }

  /** Makes the folder and marks it. @throws UsageProblem when it holds what no stack has put there, or cannot be written */
  claim(): void {
    try {
      makeFolder(this.path);
      if (existsSync(this.marker)) return;
      const found = readdirSync(this.path).filter((name) => !NOBODYS.has(name));
      // Looked at once more: another start may have marked the empty folder and begun to fill it meanwhile.
      if (found.length > 0 && !this.isOfOlderVersion() && !existsSync(this.marker)) {
        throw new UsageProblem(
          `${this.path} holds things that no stack has put there (${found[0]}), and a stack deletes in its folder. ` +
            `Give --data an empty folder or one that is not there yet, for example ${path.join(this.path, 'postfleet')}`,
        );
      }
      writeFileSync(this.marker, 'A local stack of Postfleet keeps its data here and may delete it.\n');
    } catch (error) {
      if (error instanceof StackProblem) throw error;
      const { message } = error as NodeJS.ErrnoException;
      throw new UsageProblem(`${this.path} cannot be used: ${message}. Give --data a folder that you may write`);
    }
  }

  /** Versions before the marker wrote none: their folders are those below the project's own .data, or known by their secrets. */
  private isOfOlderVersion(): boolean {
    const own = path.join(projectRoot(), '.data');
    if (this.path === own || this.path.startsWith(own + path.sep)) return true;
    const secrets = readJson<Record<string, unknown>>(path.join(this.path, 'secrets.json'));
    return typeof secrets?.['postgresPassword'] === 'string' && typeof secrets['apiKeyPepper'] === 'string';
  }

  private get marker(): string {
    return path.join(this.path, MARKER);
  }

  /** Moves a dead owner's lock aside; puts it back when somebody had claimed the folder anew in between. */
  private breakLock(dead: ProcessIdentity | undefined): void {
    const aside = `${this.lockFile}.broken.${process.pid}`;
    try {
      renameSync(this.lockFile, aside);
    } catch {
      return; // another start broke it first
    }
    if (readJson<ProcessIdentity>(aside)?.pid !== dead?.pid) linkUnlessThere(aside, this.lockFile);
    rmSync(aside, { force: true });
  }

  private get lockFile(): string {
    return path.join(this.path, 'stack.lock');
  }

  private owner(): ProcessIdentity | undefined {
    return readJson<ProcessIdentity>(this.lockFile);
  }
}

/** With its parents. Node's own `recursive` never ends where the system says that a folder cannot be, below /proc for example. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function linkUnlessThere(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A small JSON file this program wrote itself; a missing or torn one counts as absent. */
export function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Written beside and renamed, so that a kill in between leaves the old content. Readable by the owner alone. */
export function writeJson(file: string, content: unknown): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}
