import type { ErrorCode } from '@libs/kernel';

/** A refusal beside GraphQL: status, code, headers such as Retry-After, and the parameter that is at fault. */
export class HttpRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
    readonly field: string | null = null,
  ) {
    super(message);
    this.name = 'HttpRefusal';
  }
}
