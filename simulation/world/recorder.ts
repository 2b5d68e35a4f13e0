import type { AttemptId, BatchId } from '@libs/kernel';
import {
  answerLine,
  claimLine,
  closeLine,
  readFlightRecord,
  startLine,
  type RecordedBatch,
} from '../../libs/sending/src/engine/flight-record.policy';
import type {
  FlightRecorder,
  RecordedAnswer,
  TakenRecord,
} from '../../libs/sending/src/engine/flight-recorder.service';
import type { SimulatedProcess } from './simulated-process';

const REWIND_BYTES = 16_384;

/** The flight recorder's file on the simulated host: written at once, and still there when its process is killed. */
export class SimulatedRecorder implements Pick<FlightRecorder, keyof FlightRecorder> {
  private readonly open = new Set<BatchId>();
  private readonly file: { readonly writer: SimulatedProcess; text: string };

  /** @param onWrite may kill the process; true tears the line that is being written in two */
  constructor(
    private readonly process: SimulatedProcess,
    private readonly onWrite: () => boolean,
  ) {
    this.file = { writer: process, text: '' };
    process.host.files.set(process.name, this.file);
  }

  claiming(batch: RecordedBatch): void {
    this.open.add(batch.batchId);
    this.write(claimLine(batch));
  }

  starting(attempts: readonly AttemptId[]): void {
    this.write(attempts.map(startLine).join(''));
  }

  answered(answers: readonly RecordedAnswer[]): void {
    const line = ({ attempt, end }: RecordedAnswer) =>
      answerLine(attempt.attemptId, end.kind, end.kind === 'sent' ? end.sesMessageId : end.code);
    this.write(answers.map(line).join(''));
  }

  closed(batch: BatchId): void {
    this.open.delete(batch);
    this.write(closeLine(batch));
    if (this.open.size === 0 && this.process.alive && this.file.text.length > REWIND_BYTES) this.file.text = '';
  }

  takeDead(): TakenRecord[] {
    const { files } = this.process.host;
    const taken: TakenRecord[] = [];
    for (const [name, file] of [...files]) {
      if (file.writer.alive) continue;
      // Taken by a rename: the file is this process's now, and the next one's if this one dies too.
      files.delete(name);
      const own = `${name.split('@')[0] ?? ''}@${this.process.name}`;
      files.set(own, { writer: this.process, text: file.text });
      taken.push({
        ...readFlightRecord(file.text),
        worker: name.split('@')[0] ?? '',
        done: () => {
          if (this.process.alive) files.delete(own);
        },
      });
    }
    return taken;
  }

  close(): void {
    if (this.open.size === 0) this.process.host.files.delete(this.process.name);
  }

  private write(line: string): void {
    if (!this.process.alive) return;
    this.file.text += this.onWrite() ? line.slice(0, line.length / 2) : line;
  }
}
