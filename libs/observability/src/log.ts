import { Writable } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import pino, { type Logger } from 'pino';
import { scrubSecrets } from './scrub.policy';

type Fields = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly name: string;
  readonly level: string;
  /** Where lines go; standard output unless a test says otherwise. */
  readonly write?: (line: string) => void;
}

/**
 * One JSON line per fact: ids, counts and codes; never bodies, recipients or secrets. Every finished line is scrubbed
 * once more on its way out.
 */
export class Log implements LoggerService {
  private readonly lines: Logger;

  constructor(options: LogOptions) {
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
    this.lines.error(asFields(fields, rest), message);
  }

  warn(message: string, fields?: unknown, ...rest: unknown[]): void {
    this.lines.warn(asFields(fields, rest), message);
  }

  debug(message: string, fields?: unknown, ...rest: unknown[]): void {
    this.lines.debug(asFields(fields, rest), message);
  }

  /** Nest's own start-up lines. */
  log(message: unknown, ...rest: unknown[]): void {
    this.lines.debug(asFields(undefined, rest), String(message));
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

function describeError(error: Error): Fields {
  return { type: error.name, message: error.message, stack: error.stack };
}
