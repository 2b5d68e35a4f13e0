import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, Transform, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import Papa from 'papaparse';
import { BillRefused } from './bill.errors';

/** What takes the lines of a file, header first. It may throw. */
export interface LineSink {
  header(cells: readonly string[]): void;
  line(cells: readonly string[], line: bigint): void;
}

interface ReadFile {
  /** Of the file as it is, compressed or not, in hexadecimal. */
  readonly sha256: string;
}

const READ_BYTES = 1 << 20;
const INFLATE_BYTES = 1 << 18;
/** A line of a bill has a few kilobytes. What is longer comes of a quotation mark that never closes. */
const LONGEST_LINE = 4 << 20;
const DOWNLOAD_AGAIN = 'The file is damaged: download it again.';

/**
 * Streams a CSV file, plain or gzip, through the sink: memory does not grow with the file.
 * @throws BillRefused UNREADABLE, TRUNCATED, MALFORMED and what the sink throws
 */
export async function readBillFile(file: string, sink: LineSink): Promise<ReadFile> {
  const compressed = await isGzip(file);
  const hash = createHash('sha256');
  const source = createReadStream(file, { highWaterMark: READ_BYTES });
  const text = compressed ? inflated(source, hash) : plain(source, hash);
  text.setEncoding('utf8');
  try {
    await parsed(text, sink);
  } catch (error) {
    throw understood(error);
  } finally {
    source.destroy();
    text.destroy();
  }
  return { sha256: hash.digest('hex') };
}

function parsed(text: Readable, sink: LineSink): Promise<void> {
  let line = 0n;
  let pending = 0;
  let hasNul = false;
  let head: readonly string[] = [];
  const take = (cells: readonly string[]) => {
    line += 1n;
    if (line === 1n) {
      head = cells;
      sink.header(cells);
      return;
    }
    // PostgreSQL takes no text with one, and AWS writes none: a hole that a broken download or disk has left.
    if (hasNul && cells.some((cell) => cell.includes('\0'))) throw malformed('a NUL character', line);
    if (!isSame(cells, head)) sink.line(cells, line);
  };
  return new Promise((resolve, reject) => {
    text.on('data', (chunk: string) => {
      pending += chunk.length;
      hasNul ||= chunk.includes('\0');
      if (pending > LONGEST_LINE) {
        text.destroy(malformed(`a line that does not end within ${LONGEST_LINE} characters`, line + 1n));
      }
    });
    Papa.parse<string[]>(text, {
      delimiter: ',',
      skipEmptyLines: true,
      chunk: ({ data, errors: [wrong] }) => {
        if (data.length > 0) pending = 0;
        const before = line;
        for (const [index, cells] of data.entries()) {
          if (wrong?.row === index) throw malformed(wrong.message.toLowerCase(), before + BigInt(index) + 1n);
          take(cells);
        }
        if (wrong) throw malformed(wrong.message.toLowerCase(), line);
      },
      complete: () => {
        if (line === 0n) reject(new BillRefused('EMPTY', 'the file is empty', DOWNLOAD_AGAIN));
        else resolve();
      },
      error: reject,
    });
  });
}

/** Parts of a report that were put behind one another repeat the header. */
function isSame(cells: readonly string[], head: readonly string[]): boolean {
  return cells[0] === head[0] && cells.length === head.length && cells.every((cell, index) => cell === head[index]);
}

async function isGzip(file: string): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw understood(error);
  }
}

function inflated(source: Readable, hash: Hash): Readable {
  const gunzip = createGunzip({ chunkSize: INFLATE_BYTES });
  pipeline(source, hashing(hash), gunzip, ignoreHere);
  return gunzip;
}

function plain(source: Readable, hash: Hash): Readable {
  const through = hashing(hash);
  pipeline(source, through, ignoreHere);
  return through;
}

/** Whoever reads the last stream of the pipeline gets its error. */
function ignoreHere(): void {
  // Nothing to do: see above.
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

function malformed(what: string, line: bigint): BillRefused {
  return new BillRefused('MALFORMED', `this is no CSV: ${what}`, DOWNLOAD_AGAIN, { line });
}

/** What Node says of files and gzip, in words that tell what to do; anything else as it is. */
function understood(error: unknown): unknown {
  const { code, message = '' } = error as { code?: unknown; message?: string };
  if (typeof code !== 'string') return error;
  if (code === 'Z_BUF_ERROR') {
    return new BillRefused('TRUNCATED', 'the gzip file ends too early', 'The download was cut off: download it again.');
  }
  if (code.startsWith('Z_')) {
    return new BillRefused('MALFORMED', `the gzip file is damaged (${message})`, DOWNLOAD_AGAIN);
  }
  if (['ENOENT', 'EACCES', 'EISDIR', 'EPERM'].includes(code)) {
    const fix = 'Name a file that exists and may be read.';
    return new BillRefused('UNREADABLE', `the file cannot be read (${message})`, fix);
  }
  return error;
}
