import type { ErrorCode, Issue } from '@libs/kernel';

/** Collects everything that is wrong with one entry, each with its place, so that a caller mends it in one go. */
export class Problems {
  readonly issues: Issue[] = [];

  constructor(private readonly at: readonly string[] = []) {}

  add(path: readonly (string | number)[], message: string, code: ErrorCode = 'INVALID_INPUT'): void {
    this.issues.push({ code, message, path: [...this.at, ...path.map(String)] });
    return undefined;
  }
}

/** A caller's text inside a message of ours: short, and with nothing in it that could disturb a log or a terminal. */
export function quoted(text: string): string {
  const shown = text.slice(0, 80).replace(/[^\u0020-\u007e\u00a1-\ud7ff]/gu, '?');
  return `"${shown}${text.length > 80 ? '...' : ''}"`;
}
