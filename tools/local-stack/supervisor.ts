import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child, type ChildSpec } from './child';
import { readJson } from './data-folder';
import { isRunning, type ProcessIdentity } from './process-identity';
import { StackProblem } from './stack-problem';

/**
 * The child processes of one stack. They start one after the other and stop in the opposite order, so that nobody loses
 * what it depends on while it is finishing its work.
 */
export class Supervisor {
  private children: Child[] = [];
  private starting: Promise<unknown> | undefined;
  private stopped: Promise<void> | undefined;
  private readonly abort = new AbortController();

  constructor(
    private readonly folders: { readonly logs: string; readonly children: string },
    private readonly onFailure: (problem: StackProblem) => void,
  ) {}

  /**
   * Starts a child and waits until it is ready. When it ends later without having been asked to, the failure handler hears it.
   * @param isMended asked first then: true when the end is somebody's to mend, and no failure
   * @throws StackProblem when it does not become ready; when the stack is being stopped meanwhile
   */
  async start(spec: ChildSpec, isMended: (problem: StackProblem) => boolean = () => false): Promise<Child> {
    if (this.abort.signal.aborted) throw new StackProblem('the stack is being stopped');
    const start = Child.start(spec, this.folders, this.abort.signal);
    this.starting = start.catch(() => undefined);
    const child = await start;
    this.children.push(child);
    void child.end().then(({ expected }) => {
      if (expected) return;
      const problem = new StackProblem(`${spec.name} ended unexpectedly with ${child.obituary()}`);
      if (this.abort.signal.aborted || !isMended(problem)) this.onFailure(problem);
    });
    return child;
  }

  /** Somebody could not mend what he said he would; of no interest while everything is being stopped. */
  fail(problem: StackProblem): void {
    if (!this.abort.signal.aborted) this.onFailure(problem);
  }

  /** Forgets a child that was ended on purpose, so that another one may take its place. */
  async remove(child: Child): Promise<void> {
    await child.stop();
    this.children = this.children.filter((other) => other !== child);
  }

  /** Stops every child, last started first. Bounded by the sum of their `stopWithinMs`. Safe to call twice. */
  stopAll(): Promise<void> {
    this.stopped ??= this.stopInOrder();
    return this.stopped;
  }

  /** For whoever does not want to wait for a clean end: kills what still runs. */
  hurry(): void {
    for (const child of this.children) if (child.isRunning) void child.kill();
  }

  private async stopInOrder(): Promise<void> {
    this.abort.abort();
    await this.starting;
    for (const child of this.children.toReversed()) await child.stop();
  }
}

/**
 * Ends what a launcher that was itself killed has left running: only processes whose pid, start time and command line all
 * are what that launcher noted down. Answers the names of those it ended.
 */
export async function stopLeftovers(childrenFolder: string, patienceMs = 10_000): Promise<string[]> {
  const left = notesIn(childrenFolder).filter(({ identity }) => isRunning(identity));
  // Applications first and all together; PostgreSQL takes SIGINT for a fast stop, and a Node program takes it for Ctrl-C.
  for (const { identity } of left) signal(identity, 'SIGINT');
  const deadline = performance.now() + patienceMs;
  while (left.some(({ identity }) => isRunning(identity)) && performance.now() < deadline) await sleep(50);
  for (const { identity } of left) if (isRunning(identity)) signal(identity, 'SIGKILL');
  while (left.some(({ identity }) => isRunning(identity))) await sleep(20);
  rmSync(childrenFolder, { recursive: true, force: true });
  return left.map(({ name }) => name);
}

function notesIn(folder: string): { name: string; identity: ProcessIdentity }[] {
  let files: string[];
  try {
    files = readdirSync(folder);
  } catch {
    return [];
  }
  return files.flatMap((file) => {
    const identity = readJson<ProcessIdentity>(path.join(folder, file));
    return identity ? [{ name: path.basename(file, '.json'), identity }] : [];
  });
}

function signal({ pid }: ProcessIdentity, name: 'SIGINT' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // ended in between, which is what was wanted
  }
}
