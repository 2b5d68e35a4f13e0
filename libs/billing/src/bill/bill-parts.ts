import { createHash } from 'node:crypto';
import path from 'node:path';
import { BillRefused } from './bill.errors';
import { readBillFile } from './bill-file';
import { BillReader, type BillFormat } from './bill-format.policy';
import { BillSum, type BillTotals } from './bill-totals.policy';

interface Expected {
  /** `YYYY-MM` */
  readonly period: string;
  readonly payer: string | undefined;
  readonly fleet: ReadonlySet<string>;
  /** Called every 50,000 lines, with all lines so far. */
  readonly onProgress: ((lines: bigint) => void) | undefined;
}

interface ReadReport {
  readonly totals: BillTotals;
  readonly format: BillFormat;
  /** Of the file; of several, of their hashes in whatever order they came. In hexadecimal. */
  readonly sha256: string;
}

const PROGRESS_LINES = 50_000n;

/**
 * Reads a report that AWS has written into one file or several, as one: all parts are added up before anything is rounded.
 * @throws BillRefused, naming the part when there are several
 */
export async function readReport(parts: readonly string[], expected: Expected): Promise<ReadReport> {
  const sum = new BillSum(expected.period, expected.payer, expected.fleet);
  const hashes = new Map<string, string>();
  let format: BillFormat | undefined;
  let linesBefore = 0n;
  for (const part of parts) {
    const name = path.basename(part);
    let reader: BillReader | undefined;
    let linesRead = 0n;
    try {
      const { sha256 } = await readBillFile(part, {
        header: (cells) => {
          reader = new BillReader(cells);
          if (format !== undefined && format !== reader.format) throw otherFormat(reader.format, format);
          format = reader.format;
        },
        line: (cells, line) => {
          if (!reader) throw new Error('a line came before the header');
          sum.add(reader, cells, line);
          linesRead = line;
          if (line % PROGRESS_LINES === 0n) expected.onProgress?.(linesBefore + line);
        },
      });
      const twin = hashes.get(sha256);
      if (twin !== undefined) throw sameContents(twin);
      hashes.set(sha256, name);
    } catch (error) {
      throw parts.length > 1 && error instanceof BillRefused ? error.inPart(name) : error;
    }
    linesBefore += linesRead;
  }
  if (format === undefined) throw new BillRefused('UNREADABLE', 'no file is named', 'Name the files of the report.');
  return { totals: sum.finish(), format, sha256: hashOf([...hashes.keys()]) };
}

function hashOf(hashes: readonly string[]): string {
  const [only, ...more] = [...hashes].sort();
  if (only === undefined) throw new Error('a report without a file was read');
  return more.length === 0
    ? only
    : createHash('sha256')
        .update([only, ...more].join('\n'))
        .digest('hex');
}

function otherFormat(found: BillFormat, before: BillFormat): BillRefused {
  const fix = 'Import the files of one report together, and another report by itself.';
  return new BillRefused('NOT_A_BILL', `this is ${found}, and the parts before are ${before}`, fix);
}

function sameContents(twin: string): BillRefused {
  const fix = 'Name every part of the report once.';
  return new BillRefused('SAME_PART', `its contents are those of ${twin}`, fix);
}
