import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { AttemptId, BatchId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { EngineSettings } from './engine.settings';
import {
  answerLine,
  claimLine,
  closeLine,
  CUT_SHORT,
  readFlightRecord,
  readRecorderFile,
  recorderFile,
  startLine,
  type FlightRecord,
  type RecordedBatch,
  type RecorderOwner,
} from './flight-record.policy';
import type { AttemptEnd } from './outcome.policy';

const REWIND_BYTES = 4 * 1024 * 1024;

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
 */
@Injectable()
export class FlightRecorder {
  private readonly file: string;
  private readonly descriptor: number;
  private readonly open = new Set<BatchId>();
  private bytes = 0;
  private isCutShort = false;

  constructor(private readonly settings: EngineSettings) {
    mkdirSync(settings.recorderDir, { recursive: true });
    this.file = path.join(
      settings.recorderDir,
      recorderFile({ worker: settings.worker, pid: process.pid, started: startOf(process.pid) ?? '0' }),
    );
    this.descriptor = openSync(this.file, 'a');
  }

  /** Before the claim is sent to PostgreSQL. */
  claiming(batch: RecordedBatch): void {
    this.write(claimLine(batch));
    this.open.add(batch.batchId);
  }

  /** Right before their requests are written, with one write. Throws when the disk refuses: then nothing may be sent. */
  starting(attempts: readonly AttemptId[]): void {
    let lines = '';
    for (const attempt of attempts) lines += startLine(attempt);
    this.write(lines);
  }

  /** With one write for all of them. */
  answered(answers: readonly RecordedAnswer[]): void {
    let lines = '';
    for (const { attempt, end } of answers) {
      lines += answerLine(attempt.attemptId, end.kind, end.kind === 'sent' ? end.sesMessageId : end.code);
    }
    this.write(lines);
  }

  /** When every outcome of the batch is in PostgreSQL. */
  closed(batch: BatchId): void {
    this.open.delete(batch);
    this.write(closeLine(batch));
    if (this.open.size === 0 && this.bytes > REWIND_BYTES) {
      ftruncateSync(this.descriptor);
      this.bytes = 0;
    }
  }

  /** Records of processes of this host that are dead. Taking one is a rename, so two workers never take the same. */
  takeDead(): TakenRecord[] {
    const taken: TakenRecord[] = [];
    for (const name of readdirSync(this.settings.recorderDir)) {
      const owner = readRecorderFile(name);
      if (!owner || path.join(this.settings.recorderDir, name) === this.file || isAlive(owner)) continue;
      const [dead = ''] = owner.worker.split('@');
      const own = recorderFile({
        worker: `${dead}@${this.settings.worker}`,
        pid: process.pid,
        started: startOf(process.pid) ?? '0',
      });
      const to = path.join(this.settings.recorderDir, own);
      try {
        renameSync(path.join(this.settings.recorderDir, name), to);
      } catch {
        continue; // Another worker was faster.
      }
      taken.push({
        ...readFlightRecord(readFileSync(to, 'utf8')),
        worker: dead,
        done: () => {
          rmSync(to, { force: true });
        },
      });
    }
    return taken;
  }

  /** At the end of a drained process; a record with open batches stays for the next one. */
  close(): void {
    closeSync(this.descriptor);
    if (this.open.size === 0) rmSync(this.file, { force: true });
  }

  /**
   * All of it or an error: a disk that is nearly full takes a part and reports no error. What it took of a line is then marked
   * before anything follows it.
   */
  private write(lines: string): void {
    const text = this.isCutShort ? CUT_SHORT + lines : lines;
    this.isCutShort = true;
    const written = writeSync(this.descriptor, text);
    this.bytes += written;
    // Lines are ASCII: a character is a byte.
    if (written < text.length) throw new Error(`the disk took ${String(written)} of ${String(text.length)} bytes`);
    this.isCutShort = false;
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
