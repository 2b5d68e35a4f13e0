/** How the outside should treat a failure; mapped to a transport once, at the edge. */
export type Category = 'validation' | 'forbidden' | 'notFound' | 'conflict' | 'precondition' | 'limit';

/**
 * Every code a caller can meet, with its category. Each has a page `docs/errors/<CODE>.md` (cause, fix, example).
 * Codes are never removed or reused.
 */
export const ERROR_CODES = {
  INVALID_INPUT: 'validation',
  NOT_FOUND: 'notFound',
  CONFLICT: 'conflict',
  FORBIDDEN_BY_PLAN: 'forbidden',
  FORBIDDEN: 'forbidden',
  UNAUTHENTICATED: 'forbidden',
  DOMAIN_NOT_VERIFIED: 'precondition',
  RECIPIENT_SUPPRESSED: 'precondition',
  ATTACHMENT_TOO_LARGE: 'validation',
  MESSAGE_TOO_LARGE: 'validation',
  TOO_MANY_RECIPIENTS: 'validation',
  BATCH_TOO_LARGE: 'validation',
  PLAN_QUOTA_EXCEEDED: 'limit',
  TENANT_PAUSED: 'precondition',
  SPEND_CAP_REACHED: 'limit',
  IDEMPOTENCY_KEY_REUSED: 'conflict',
  IDEMPOTENCY_IN_PROGRESS: 'conflict',
  TOO_LATE_TO_CANCEL: 'conflict',
  NO_CAPACITY: 'precondition',
  ACCOUNT_NOT_READY: 'precondition',
  RATE_LIMITED: 'limit',
  QUERY_TOO_COMPLEX: 'limit',
  PAYLOAD_TOO_LARGE: 'limit',
  INTERNAL: 'precondition',
} as const satisfies Record<string, Category>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One thing that is wrong: which field (`path` into the caller's input), what was expected, when a retry can help. */
export interface Issue {
  readonly code: ErrorCode;
  readonly message: string;
  readonly path?: readonly string[];
  readonly retryAt?: Date;
}

/**
 * A failure the caller can act on, with everything that is wrong at once. Anything else that is thrown is a fault of
 * ours: logged once at the edge, shown as "internal".
 */
export class DomainError extends Error {
  readonly issues: readonly [Issue, ...Issue[]];

  constructor(first: Issue, ...rest: readonly Issue[]) {
    super(first.message);
    this.name = 'DomainError';
    this.issues = [first, ...rest];
  }

  get code(): ErrorCode {
    return this.issues[0].code;
  }

  get category(): Category {
    return ERROR_CODES[this.code];
  }

  /** Throws when there is at least one issue; does nothing otherwise. */
  static throwIfAny(issues: readonly Issue[]): void {
    const [first, ...rest] = issues;
    if (first) throw new DomainError(first, ...rest);
  }
}

/** Runs it; what it finds wrong with its fields is told beneath the field that they are part of. */
export function beneath<T>(field: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const [first, ...rest] = error.issues.map((issue) => ({ ...issue, path: [field, ...(issue.path ?? [])] }));
    throw first ? new DomainError(first, ...rest) : error;
  }
}

/** The error for an id that is unknown, or another tenant's: the two answer alike, so that nobody can probe. */
export function notFound(what: string, path?: readonly string[]): DomainError {
  return new DomainError({ code: 'NOT_FOUND', message: `${what} was not found.`, ...(path ? { path } : {}) });
}
