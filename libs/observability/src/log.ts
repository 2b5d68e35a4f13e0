import { performance } from 'node:perf_hooks';
import { Writable } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import pino, { type Logger } from 'pino';
import { RepeatedLines } from './repeated-lines.policy';
import { scrubSecrets } from './scrub.policy';

type Fields = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly name: string;
  readonly level: string;
  /** Where lines go; standard output unless a test says otherwise. */
  readonly write?: (line: string) => void;
  /** A clock that never goes back, milliseconds; the system's unless a test says otherwise. */
  readonly monotonicMs?: () => number;
}

/**
 * One JSON line per fact: ids, counts and codes; never bodies, recipients or secrets. Every finished line is scrubbed
 * once more on its way out. A trouble that repeats itself is written three times in ten seconds and counted from then on
 * (`unsaid`); one that names a request is always written, so that whoever quotes the request finds it.
 */
export class Log implements LoggerService {
  private readonly lines: Logger;
  private readonly repeated = new RepeatedLines();
  private readonly monotonicMs: () => number;

  constructor(options: LogOptions) {
    this.monotonicMs = options.monotonicMs ?? (() => performance.now());
    const write = options.write ?? toStandardOutput();
    const out = new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _encoding, done) {
        write(scrubSecrets(chunk.toString()));
        done();
      },
    });
    this.lines = pino({ name: options.name, level: options.level, base: { name: options.name } }, out);
  }

  info(message: string, fields: Fields = {}): void {
    this.lines.info(fields, message);
  }

  error(message: string, fields?: unknown, ...rest: unknown[]): void {
    const said = this.notTooOften(message, asFields(fields, rest));
    if (said) this.lines.error(said, message);
  }

  warn(message: string, fields?: unknown, ...rest: unknown[]): void {
    const said = this.notTooOften(message, asFields(fields, rest));
    if (said) this.lines.warn(said, message);
  }

  debug(message: string, fields?: unknown, ...rest: unknown[]): void {
    this.lines.debug(asFields(fields, rest), message);
  }

  /** Nest's own start-up lines. */
  log(message: unknown, ...rest: unknown[]): void {
    this.lines.debug(asFields(undefined, rest), String(message));
  }

  private notTooOften(message: string, fields: Fields): Fields | undefined {
    const error = fields['error'];
    if (fields['requestId'] !== undefined || !isDescribed(error)) return fields;
    const { isWritten, unsaid } = this.repeated.admit(message, error, this.monotonicMs());
    if (!isWritten) return undefined;
    return unsaid === 0 ? fields : { ...fields, unsaid };
  }
}

/** What cannot be written is dropped: a full disk, or a reader that has gone, must not end the process. */
function toStandardOutput(): (line: string) => void {
  const { stdout } = process;
  if (stdout.listenerCount('error') === 0) stdout.on('error', () => undefined);
  return (line) => {
    stdout.write(line);
  };
}

/** Nest passes stacks and contexts as further arguments; ours pass one object of fields. */
function asFields(first: unknown, rest: readonly unknown[]): Fields {
  if (first instanceof Error) return { error: describeError(first) };
  if (typeof first === 'object' && first !== null) {
    const { error, ...fields } = first as Record<string, unknown>;
    return error instanceof Error ? { ...fields, error: describeError(error) } : (first as Fields);
  }
  const context = [first, ...rest].filter((part) => part !== undefined);
  return context.length === 0 ? {} : { context };
}

interface Described {
  readonly type: string;
  readonly message: string;
  readonly stack: string | undefined;
}

function isDescribed(error: unknown): error is Described {
  return typeof error === 'object' && error !== null && 'type' in error && 'stack' in error;
}

function describeError(error: Error): Described {
  return { type: error.name, message: error.message, stack: error.stack };
}
