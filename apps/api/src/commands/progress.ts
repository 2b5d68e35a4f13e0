import { endOnSignal } from '@libs/kernel';

/** A line that the next one overwrites on a terminal; elsewhere every line stays. */
export function showProgress(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
}

export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\n');
}

/** Runs a command to its end, or to a signal. What went wrong is a sentence, and exit code 1. */
export async function runCommand(name: string, run: () => Promise<void>): Promise<void> {
  endOnSignal();
  try {
    await run();
  } catch (error) {
    endProgress();
    process.stderr.write(`${name}: ${sentenceOf(error)}\n`);
    process.exit(1);
  }
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (codeOf(error).startsWith('ERR_PARSE_ARGS')) {
    return `${error.message.split('. ')[0] ?? ''}; --help lists the options`;
  }
  return noDatabase(error) ?? error.message;
}

/** When nobody answers there, or the server does not know the name, the password or the database: what to look at. */
export function noDatabase(error: unknown): string | undefined {
  // A name with two addresses, such as localhost, fails with an error that says nothing itself.
  if (error instanceof AggregateError) return noDatabase(error.errors[0]);
  if (!(error instanceof Error)) return undefined;
  if (codeOf(error) === '42P01') return `${error.message}. Has "npm run db:migrate" been run on this database?`;
  const isThat = /^(ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|28\w{3}|3D000)$/.test(codeOf(error));
  return isThat ? `${error.message}. Does DATABASE_ADMIN_URL name the database that is meant?` : undefined;
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}
