import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeJson } from './data-folder';
import { identify } from './process-identity';
import { StackProblem } from './stack-problem';

export interface ChildSpec {
  /** Also the name of its log file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child, nothing is added. */
  readonly env: Readonly<Record<string, string>>;
  /** Texts of which its command line contains at least one for as long as it runs (see ProcessIdentity). */
  readonly markers: readonly string[];
  /** Resolves when the child is ready for use, asked again and again until then. */
  readonly isReady: (pid: number) => Promise<boolean>;
  readonly readyWithinMs: number;
  /** Asks for a clean end. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /** After this the child is killed with SIGKILL. */
  readonly stopWithinMs: number;
  /** System user to run as, when this process may choose. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
}

/** A log file that has grown beyond this is put aside at the next start, and the one before it is dropped. */
const logBytes = 20_000_000;
const shownLogLines = 20;

/** One child process with its log file and the note by which a later start recognises it. */
export class Child {
  readonly pid: number;
  private readonly ended: Promise<void>;
  private hasEnded = false;
  private stopping = false;

  private constructor(
    readonly spec: ChildSpec,
    private readonly process: ChildProcess,
    private readonly log: { readonly file: string; readonly from: number },
    private readonly noteFile: string,
  ) {
    this.pid = process.pid ?? 0;
    this.ended = new Promise((resolve) => {
      process.once('exit', () => {
        this.hasEnded = true;
        rmSync(this.noteFile, { force: true });
        resolve();
      });
    });
  }

  /**
   * Starts the process and waits until it is ready.
   * @throws StackProblem with the end of its log when it dies or does not become ready in time; nothing is left running
   */
  static async start(
    spec: ChildSpec,
    folders: { readonly logs: string; readonly children: string },
    abort: AbortSignal,
  ): Promise<Child> {
    const log = openLog(folders.logs, spec.name);
    const child = spawn(spec.command, spec.args, {
      env: spec.env,
      stdio: ['ignore', log.descriptor, log.descriptor],
      // A session of its own: Ctrl-C in the terminal reaches the launcher alone, which then stops everything in order.
      detached: true,
      ...spec.runAs,
    });
    closeSync(log.descriptor);
    const noteFile = path.join(folders.children, `${spec.name}.json`);
    if (child.pid === undefined) {
      const reason = await new Promise<Error>((resolve) => child.once('error', resolve));
      throw new StackProblem(`${spec.name} could not be started: ${reason.message}`);
    }
    const started = new Child(spec, child, log, noteFile);
    const identity = identify(child.pid, spec.markers);
    if (identity) writeJson(noteFile, identity);
    try {
      await started.becomeReady(abort);
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  get isRunning(): boolean {
    return !this.hasEnded;
  }

  /** Resolves when the process has ended, for whatever reason. */
  async end(): Promise<{ readonly expected: boolean }> {
    await this.ended;
    return { expected: this.stopping };
  }

  /** Asks the process to end and makes sure that it has, within `stopWithinMs` and a moment. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.hasEnded) return;
    this.process.kill(this.spec.stopSignal);
    // One that stands still would hear that only when it goes on.
    this.process.kill('SIGCONT');
    const inTime = await Promise.race([
      this.ended.then(() => true),
      sleep(this.spec.stopWithinMs, false, { ref: false }),
    ]);
    if (inTime) return;
    this.process.kill('SIGKILL');
    await this.ended;
  }

  /** Ends the process as a crash would. The one who calls this expects it, so it is not reported as an unexpected end. */
  async kill(): Promise<void> {
    this.stopping = true;
    this.process.kill('SIGKILL');
    await this.ended;
  }

  /** Resolves when the process has ended; from now on that is what its owner expects. */
  async expectedEnd(): Promise<void> {
    this.stopping = true;
    await this.ended;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.process.kill(name);
  }

  /** How it ended and the last lines it wrote in this run, for an error message. */
  obituary(): string {
    const { exitCode, signalCode } = this.process;
    const how = signalCode === null ? `exit code ${exitCode ?? 'unknown'}` : `signal ${signalCode}`;
    return `${how}. The end of ${this.log.file}:\n${indent(lastLines(this.log.file, this.log.from))}`;
  }

  private async becomeReady(abort: AbortSignal): Promise<void> {
    const deadline = performance.now() + this.spec.readyWithinMs;
    while (performance.now() < deadline) {
      if (abort.aborted) throw new StackProblem(`${this.spec.name} was stopped while it was starting`);
      if (this.hasEnded) throw new StackProblem(`${this.spec.name} ended while it was starting: ${this.obituary()}`);
      if (await this.spec.isReady(this.pid)) return;
      await Promise.race([this.ended, sleep(50)]);
    }
    throw new StackProblem(
      `${this.spec.name} was not ready after ${Math.round(this.spec.readyWithinMs / 1000)} s. The end of ${this.log.file}:\n` +
        indent(lastLines(this.log.file, this.log.from)),
    );
  }
}

function openLog(folder: string, name: string): { descriptor: number; file: string; from: number } {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.log`);
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > logBytes) renameSync(file, `${file}.1`);
  // 0600: a development log may hold addresses and contents of messages.
  return { descriptor: openSync(file, 'a', 0o600), file, from: size > logBytes ? 0 : size };
}

function lastLines(file: string, from: number): string {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const start = Math.max(from, size - 8_000);
  if (size <= start) return '(it wrote nothing)';
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(size - start);
    readSync(descriptor, buffer, 0, buffer.length, start);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-shownLogLines).join('\n');
  } finally {
    closeSync(descriptor);
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
