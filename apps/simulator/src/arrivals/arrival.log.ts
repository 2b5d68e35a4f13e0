import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

/** One request as the judge sees it. Sends carry the mail's facts; other operations only who asked what. */
export interface Arrival {
  readonly seq: number;
  /** Simulated time. */
  readonly time: string;
  readonly at: number;
  readonly account: string;
  readonly region: string;
  readonly operation: string;
  /** `accepted`, or the error name. */
  readonly verdict: string;
  readonly recipients?: readonly string[];
  readonly nRecipients?: number;
  /** Recipients that use the daily quota: all but mailbox simulator and test addresses. */
  readonly quotaRecipients?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly configurationSet?: string;
  readonly pool?: string;
  readonly from?: string;
  readonly messageId?: string;
  readonly bytes?: number;
  /** Of all attachments, decoded; left out when there are none. */
  readonly attachmentBytes?: number;
  /** The kind of an injected fault, or `throttled-address`. */
  readonly injected?: string;
  /** Simulated time since when it may have waited to be heard; left out when it was heard at once. */
  readonly since?: number;
  /** The limits in force: quota per 24 h, rate per second, bucket capacity. */
  readonly limits?: readonly [number, number, number | null];
}

/** Whether it asks SES to send: with the mail's facts, a row for each message. */
export function isSend({ operation }: { readonly operation: string }): boolean {
  return operation === 'SendEmail' || operation === 'SendBulkEmail';
}

/**
 * Append-only JSON lines, with every line's place kept in memory. Without a file the lines themselves are kept. A line is
 * with the operating system before its request is answered, so that a hard kill loses no send that a client knows of.
 */
export class ArrivalLog {
  private readonly memory: string[] = [];
  private offsets: number[] = [];
  private end = 0;
  private readonly fd: number | undefined;

  constructor(private readonly file: string | undefined) {
    this.fd = file === undefined ? undefined : openSync(file, 'a+', 0o600);
  }

  get count(): number {
    return this.fd === undefined ? this.memory.length : this.offsets.length;
  }

  append(arrival: Omit<Arrival, 'seq'>): number {
    const seq = this.count + 1;
    const line = JSON.stringify({ seq, ...arrival });
    if (this.fd === undefined) {
      this.memory.push(line);
      return seq;
    }
    this.offsets.push(this.end);
    this.end += Buffer.byteLength(line) + 1;
    writeSync(this.fd, `${line}\n`);
    return seq;
  }

  /** Lines with seq > after, oldest first, as JSON texts. */
  page(after: number, limit: number): string[] {
    const from = Math.max(0, after);
    const to = Math.min(this.count, from + Math.max(0, limit));
    if (from >= to) return [];
    if (this.fd === undefined) return this.memory.slice(from, to);
    const start = this.offsets[from] ?? 0;
    const stop = this.offsets[to] ?? this.end;
    const buffer = Buffer.alloc(stop - start);
    readSync(this.fd, buffer, 0, buffer.length, start);
    return buffer.toString('utf8').trimEnd().split('\n');
  }

  /** Reads what an earlier run left, oldest first; a line cut by a crash is removed. */
  recover(each: (arrival: Arrival) => void): void {
    if (this.fd === undefined || this.file === undefined || !existsSync(this.file)) return;
    const data = readFileSync(this.file);
    let start = 0;
    for (let stop = data.indexOf(10); stop >= 0; stop = data.indexOf(10, start)) {
      each(JSON.parse(data.toString('utf8', start, stop)) as Arrival);
      this.offsets.push(start);
      start = stop + 1;
    }
    this.end = start;
    if (fstatSync(this.fd).size > start) ftruncateSync(this.fd, start);
  }

  clear(): void {
    this.memory.length = 0;
    this.offsets = [];
    this.end = 0;
    if (this.fd !== undefined) ftruncateSync(this.fd, 0);
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
  }
}
