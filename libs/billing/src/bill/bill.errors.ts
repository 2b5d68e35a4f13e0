import { DomainError } from '@libs/kernel';

type BillFault =
  | 'UNREADABLE'
  | 'NOT_A_BILL'
  | 'MISSING_COLUMNS'
  | 'MALFORMED'
  | 'TRUNCATED'
  | 'OTHER_PAYER'
  | 'OTHER_PERIOD'
  | 'OTHER_CURRENCY'
  | 'NEGATIVE_USAGE'
  | 'TOO_MANY_KINDS'
  | 'SAME_PART'
  | 'EMPTY';

interface Place {
  /** Of a report in several files, which of them. */
  readonly part?: string;
  /** Counted from 1, the header being the first. */
  readonly line?: bigint;
  readonly column?: string;
}

/** A bill that cannot be taken in. Nothing of it is stored. The message says where it is wrong and what to do. */
export class BillRefused extends DomainError {
  readonly line: bigint | undefined;
  readonly column: string | undefined;

  constructor(
    readonly fault: BillFault,
    private readonly what: string,
    private readonly fix: string,
    private readonly place: Place = {},
  ) {
    const { part, line, column } = place;
    const where = [
      part === undefined ? [] : [part],
      line === undefined ? [] : [`line ${line}`],
      column === undefined ? [] : [`column ${column}`],
    ].flat();
    super({
      code: 'INVALID_INPUT',
      message: `${where.length === 0 ? '' : `${where.join(', ')}: `}${what}. ${fix}`,
      path: ['file'],
    });
    this.name = 'BillRefused';
    this.line = line;
    this.column = column;
  }

  /** The same, of one of several files. */
  inPart(part: string): BillRefused {
    return new BillRefused(this.fault, this.what, this.fix, { ...this.place, part });
  }
}

/** The very same file is imported already, and counts: importing it again would change nothing. */
export class BillImportedAlready extends DomainError {
  constructor(fileName: string, importedAt: Date) {
    super({
      code: 'CONFLICT',
      message:
        `This file was imported as ${fileName} at ${importedAt.toISOString()}; its contents are the same. ` +
        `Nothing was done. Import the newest report of the month instead, if there is one.`,
      path: ['file'],
    });
    this.name = 'BillImportedAlready';
  }
}
