import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { AttemptId, BatchId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { EngineSettings } from './engine.settings';
import {
  answerLine,
  claimLine,
  closeLine,
  readFlightRecord,
  readRecorderFile,
  recorderFile,
  secondRecorderFile,
  startLine,
  type FlightRecord,
  type RecordedBatch,
  type RecorderOwner,
} from './flight-record.policy';
import { FlightFile } from './flight-file';
import type { AttemptEnd } from './outcome.policy';

/** A file that has more is left for the other one: some ten seconds of a busy worker. */
const FULL_BYTES = 4 * 1024 * 1024;

/** What became of an attempt that was started. */
export interface RecordedAnswer {
  readonly attempt: { readonly attemptId: AttemptId };
  readonly end: AttemptEnd;
}

/** A dead process's record, taken over by this one; `done` removes it. */
export interface TakenRecord extends FlightRecord {
  readonly worker: string;
  done(): void;
}

/** What to say when the disk refuses it. */
export const RECORDER_REFUSES =
  'the flight recorder cannot be written, and nothing is sent without it: free or mend the disk of RECORDER_DIR';

/**
 * What this process is about to send and what SES answered, in a file, written before each step with a plain write: the
 * kernel has it when the process is killed. No fsync, so it does not outlive the host; then the resolver decides.
 *
 * There are two files, because a busy worker always has a batch open: what one of them holds is dropped when every batch that
 * was open while it was written has been closed, and meanwhile the other one is written.
 */
@Injectable()
export class FlightRecorder {
  private readonly file: string;
  private readonly open = new Set<BatchId>();
  private written: FlightFile;
  private left: FlightFile;
  /** Those that were open when `left` was left, and still are. */
  private before = new Set<BatchId>();

  constructor(private readonly settings: EngineSettings) {
    mkdirSync(settings.recorderDir, { recursive: true });
    const started = startOf(process.pid) ?? '0';
    this.file = this.pathOf(recorderFile({ worker: settings.worker, pid: process.pid, started }));
    this.written = new FlightFile(this.file);
    this.left = new FlightFile(this.pathOf(secondRecorderFile(settings.worker)));
  }

  /** Before the claim is sent to PostgreSQL. */
  claiming(batch: RecordedBatch): void {
    this.written.write(claimLine(batch));
    this.open.add(batch.batchId);
  }

  /** Right before their requests are written, with one write. Throws when the disk refuses: then nothing may be sent. */
  starting(attempts: readonly AttemptId[]): void {
    let lines = '';
    for (const attempt of attempts) lines += startLine(attempt);
    this.written.write(lines);
  }

  /** With one write for all of them. */
  answered(answers: readonly RecordedAnswer[]): void {
    let lines = '';
    for (const { attempt, end } of answers) {
      lines += answerLine(attempt.attemptId, end.kind, end.kind === 'sent' ? end.sesMessageId : end.code);
    }
    this.written.write(lines);
  }

  /** When every outcome of the batch is in PostgreSQL. */
  closed(batch: BatchId): void {
    this.open.delete(batch);
    this.before.delete(batch);
    this.turnOver();
    this.written.write(closeLine(batch));
  }

  /** Records of processes of this host that are dead. Taking one is a rename, so two workers never take the same. */
  takeDead(): TakenRecord[] {
    const taken: TakenRecord[] = [];
    for (const name of readdirSync(this.settings.recorderDir)) {
      const owner = readRecorderFile(name);
      if (!owner || this.pathOf(name) === this.file || isAlive(owner)) continue;
      const [dead = ''] = owner.worker.split('@');
      const own = recorderFile({
        worker: `${dead}@${this.settings.worker}`,
        pid: process.pid,
        started: startOf(process.pid) ?? '0',
      });
      const to = this.pathOf(own);
      const second = this.pathOf(secondRecorderFile(dead));
      try {
        renameSync(this.pathOf(name), to);
      } catch {
        continue; // Another worker was faster.
      }
      taken.push({
        ...readFlightRecord(readFileSync(to, 'utf8'), existsSync(second) ? readFileSync(second, 'utf8') : ''),
        worker: dead,
        done: () => {
          rmSync(second, { force: true });
          rmSync(to, { force: true });
        },
      });
    }
    return taken;
  }

  /** At the end of a drained process; a record with open batches stays for the next one. */
  close(): void {
    for (const file of [this.written, this.left]) {
      file.close();
      if (this.open.size === 0) rmSync(file.path, { force: true });
    }
  }

  /** Keeps both files short. */
  private turnOver(): void {
    if (this.before.size > 0) return;
    this.left.empty();
    if (this.written.bytes <= FULL_BYTES) return;
    [this.written, this.left] = [this.left, this.written];
    this.before = new Set(this.open);
    if (this.before.size === 0) this.left.empty();
  }

  private pathOf(name: string): string {
    return path.join(this.settings.recorderDir, name);
  }
}

/** True while the process that owns a record runs. A pid that was used again has another start time. */
function isAlive(owner: RecorderOwner): boolean {
  if (owner.pid === process.pid) return owner.started === (startOf(process.pid) ?? '0');
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const started = startOf(owner.pid);
  return started === undefined || started === owner.started;
}

/** When a process started, in the kernel's ticks since boot; undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The name in parentheses may hold spaces; the start time is field 22, the 20th after it. A zombie is dead.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'zombie' : fields[19];
  } catch {
    return undefined;
  }
}
