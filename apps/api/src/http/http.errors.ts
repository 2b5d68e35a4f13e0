import type { ErrorCode } from '@libs/kernel';

/** A refusal before GraphQL: status, code, and headers such as Retry-After. */
export class HttpRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'HttpRefusal';
  }
}
