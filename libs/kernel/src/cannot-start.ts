/** Something outside is not as a process needs it. The message says what, and how to mend it: no stack trace would say more. */
export class CannotStart extends Error {}

/** What went wrong, in words; of several attempts each. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}

/** Where a process listens, and the variables that say so. */
interface Address {
  readonly host: string;
  readonly port: number;
  readonly variables: { readonly host: string; readonly port: string };
}

/** Why nobody can listen there; errors of another kind are answered as they are. */
export function listenProblem(error: unknown, { host, port, variables }: Address): Error {
  const { code } = Object(error) as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new CannotStart(
      `${variables.port}: port ${port} on ${host} is taken. Stop the program that uses it, or set ${variables.port} to a free port.`,
    );
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new CannotStart(
      `${variables.host}/${variables.port}: cannot listen on ${host}:${port} (${code}). Choose an address of this machine and a port above 1023.`,
    );
  }
  return error instanceof Error ? error : new Error(String(error));
}
