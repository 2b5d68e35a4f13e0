import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ChildSpec } from '../../tools/local-stack/child';
import { ownEnvironment } from '../../tools/local-stack/environment';

/** A private folder (0700, as mkdtemp makes it) that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'postfleet-'));
  made.push(folder);
  return folder;
}

const made: string[] = [];

afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A child that runs a piece of JavaScript and is ready at once. */
export function script(name: string, source: string, changes: Partial<ChildSpec> = {}): ChildSpec {
  return {
    name,
    command: process.execPath,
    args: ['-e', source],
    env: ownEnvironment(),
    markers: [source],
    isReady: () => Promise.resolve(true),
    readyWithinMs: 30_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 2_000,
    ...changes,
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a Node program and collects what it writes. */
export function runNode(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): { child: ChildProcess; output: () => string; ended: Promise<Ran> } {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd,
    env: options.env ?? ownEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const ended = new Promise<Ran>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
  return { child, output: () => stdout + stderr, ended };
}
