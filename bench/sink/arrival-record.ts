/**
 * One request as the sink's log keeps it: 64 bytes, so that a slice of 100,000 requests is one answer of 6 MB and writing
 * one costs a few stores. Whoever reads the log does the statistics; the sink only writes.
 */
export interface Arrival {
  /** CLOCK_MONOTONIC, when the last byte of the request was there. */
  readonly atUs: number;
  /** Since when it may have waited to be heard: `atUs` itself unless the sink stood still. */
  readonly sinceUs: number;
  /** Position in the sink's list of accounts. */
  readonly account: number;
  /** Position in the sink's list of configuration sets: tenant and stream. */
  readonly set: number;
  readonly recipients: number;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Value of the tag `message`: 36 characters, or spaces. */
  readonly message: string;
}

const RECORD_BYTES = 64;
const AT = 0;
const ACCOUNT = 8;
const SET = 10;
const RECIPIENTS = 12;
const STATUS = 14;
const MESSAGE = 16;
const MESSAGE_BYTES = 36;
const WAITED = MESSAGE + MESSAGE_BYTES;

/** An append-only log in memory that grows by chunks, so that no record is ever copied. */
export class ArrivalLog {
  private chunks: Buffer[] = [];
  private count = 0;

  get length(): number {
    return this.count;
  }

  clear(): void {
    this.chunks = [];
    this.count = 0;
  }

  /** @param body holds the message's tag at `messageAt`, or nothing when that is negative */
  append(
    atUs: number,
    sinceUs: number,
    account: number,
    set: number,
    recipients: number,
    status: number,
    body: Buffer,
    messageAt: number,
  ): void {
    const within = this.count % CHUNK_RECORDS;
    if (within === 0) this.chunks.push(Buffer.alloc(CHUNK_RECORDS * RECORD_BYTES));
    const chunk = this.chunks[this.chunks.length - 1];
    if (!chunk) return;
    const offset = within * RECORD_BYTES;
    chunk.writeDoubleLE(atUs, offset + AT);
    chunk.writeUInt16LE(account, offset + ACCOUNT);
    chunk.writeUInt16LE(set, offset + SET);
    chunk.writeUInt16LE(recipients, offset + RECIPIENTS);
    chunk.writeUInt16LE(status, offset + STATUS);
    if (messageAt < 0) chunk.fill(0x20, offset + MESSAGE, offset + MESSAGE + MESSAGE_BYTES);
    else body.copy(chunk, offset + MESSAGE, messageAt, messageAt + MESSAGE_BYTES);
    chunk.writeUInt32LE(Math.round(atUs - sinceUs), offset + WAITED);
    this.count += 1;
  }

  /** The bytes of the records from that one on. */
  from(first: number): Buffer {
    const begin = Math.floor(first / CHUNK_RECORDS);
    const chunks = this.chunks.slice(begin);
    const bytes = Buffer.concat(chunks).subarray(0, (this.count - begin * CHUNK_RECORDS) * RECORD_BYTES);
    return bytes.subarray((first - begin * CHUNK_RECORDS) * RECORD_BYTES);
  }
}

const CHUNK_RECORDS = 16_384;

export function readArrivals(bytes: Buffer): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let offset = 0; offset + RECORD_BYTES <= bytes.length; offset += RECORD_BYTES) {
    const atUs = bytes.readDoubleLE(offset + AT);
    arrivals.push({
      atUs,
      sinceUs: atUs - bytes.readUInt32LE(offset + WAITED),
      account: bytes.readUInt16LE(offset + ACCOUNT),
      set: bytes.readUInt16LE(offset + SET),
      recipients: bytes.readUInt16LE(offset + RECIPIENTS),
      status: bytes.readUInt16LE(offset + STATUS),
      message: bytes.toString('latin1', offset + MESSAGE, offset + MESSAGE + MESSAGE_BYTES),
    });
  }
  return arrivals;
}
