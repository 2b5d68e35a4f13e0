import { ConfigInvalid } from '@libs/config';
import { endOnSignal } from '@libs/kernel';

/** What went wrong with the database of a variable, and what to do about it; never the password in the URL. */
export function describeDatabaseProblem(error: unknown, variable: string, url: string): string {
  const place = placeOf(url);
  const code = codeOf(error);
  const reason = messageOf(error);
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'EHOSTUNREACH':
    case 'ETIMEDOUT':
    case 'EAI_AGAIN':
      return `${variable}: no PostgreSQL answers at ${place} (${code}). Start it, or correct the host and port in ${variable}.`;
    case '28P01':
    case '28000':
      return `${variable}: PostgreSQL at ${place} refuses the user or its password (${reason}). Correct ${variable}, or run "npm run db:bootstrap" to set the passwords.`;
    case '3D000':
      return `${variable}: ${reason} at ${place}. Run "npm run db:bootstrap" to create it.`;
    case '42501':
      return `${variable}: that role lacks a right (${reason}). Run "npm run db:bootstrap" first, with the superuser's URL.`;
    default:
      return `${variable} (${place}): ${reason}`;
  }
}

/**
 * Runs a command-line program that takes no options to its end, or to a signal; a problem is one readable message and exit
 * code 1. Whoever gives it one, for help or for a rehearsal, does not want it to run.
 */
export async function runProgram(manual: string, program: () => Promise<void>): Promise<void> {
  const [option] = process.argv.slice(2);
  if (option !== undefined) {
    const isHelp = option === '--help' || option === '-h';
    if (isHelp) process.stdout.write(manual);
    else process.stderr.write(`error: unknown option "${option}"; there are none.\n\n${manual}`);
    process.exitCode = isHelp ? 0 : 2;
    return;
  }
  endOnSignal();
  try {
    await program();
  } catch (error) {
    process.stderr.write(`error: ${error instanceof ConfigInvalid ? error.message : messageOf(error)}\n`);
    process.exitCode = 1;
  }
}

/** Runs `work` and turns what the database says into a message that names the variable. */
export async function explaining<T>(variable: string, url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(describeDatabaseProblem(error, variable, url), { cause: error });
  }
}

function placeOf(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}:${port || '5432'}${pathname}`;
  } catch {
    return 'an address that is not a URL';
  }
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
