import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { CUT_SHORT } from './flight-record.policy';

/** A file of the flight recorder: lines are added to it, whole or marked as cut short. */
export class FlightFile {
  private readonly descriptor: number;
  private size = 0;
  private isCutShort = false;
  private isClosed = false;

  constructor(readonly path: string) {
    this.descriptor = openSync(path, 'a');
  }

  get bytes(): number {
    return this.size;
  }

  /**
   * All of it or an error: a disk that is nearly full takes a part and reports no error. What it took of a line is then marked
   * before anything follows it.
   */
  write(lines: string): void {
    // Its descriptor may be somebody else's by now.
    if (this.isClosed) throw new Error('the flight recorder is closed');
    const text = this.isCutShort ? CUT_SHORT + lines : lines;
    this.isCutShort = true;
    const written = writeSync(this.descriptor, text);
    this.size += written;
    // Lines are ASCII: a character is a byte.
    if (written < text.length) throw new Error(`the disk took ${String(written)} of ${String(text.length)} bytes`);
    this.isCutShort = false;
  }

  /** Drops what it holds. */
  empty(): void {
    if (this.size === 0) return;
    ftruncateSync(this.descriptor);
    this.size = 0;
    this.isCutShort = false;
  }

  close(): void {
    this.isClosed = true;
    closeSync(this.descriptor);
  }
}
