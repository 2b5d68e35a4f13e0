import { DomainError } from '@libs/kernel';

/** The key stands for another request: nothing was done. */
export class IdempotencyKeyReused extends DomainError {
  constructor() {
    super({
      code: 'IDEMPOTENCY_KEY_REUSED',
      message:
        'This idempotency key was used for another request in the last 72 hours. Use a new key for a new request.',
      path: ['idempotencyKey'],
    });
  }
}

/** The same request is under way at this moment: its outcome can be asked for again. */
export class IdempotencyInProgress extends DomainError {
  constructor(retryAt: Date) {
    super({
      code: 'IDEMPOTENCY_IN_PROGRESS',
      message: 'A request with this idempotency key is being worked on. Repeat it in a second to get its result.',
      path: ['idempotencyKey'],
      retryAt,
    });
  }
}

/** The tenant may not send at present. */
export class TenantPaused extends DomainError {
  constructor(reason: string | null) {
    super({
      code: 'TENANT_PAUSED',
      message: `Sending is paused${reason === null ? '' : `: ${reason}`}. Nothing was accepted.`,
    });
  }
}

/** Messages were looked through for what is asked for until the time for it was over: in a shorter span there are fewer. */
export class TooManyToLookThrough extends DomainError {
  constructor(hasSpan: boolean) {
    const advice = hasSpan
      ? 'ask for a shorter span of createdAt'
      : 'add createdAt, such as { gte: "2026-11-22T00:00:00Z" }';
    super({
      code: 'QUERY_TOO_COMPLEX',
      message: `There are too many messages to look through for these conditions at once: ${advice}.`,
      path: ['filter', 'createdAt'],
    });
  }
}
