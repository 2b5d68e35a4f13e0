import { DomainError, type ErrorCode, type Issue } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { ApiSettings } from '../api.settings';
import { UserError } from './words.type';

/** Failures that are no business of a payload: the caller cannot mend them in its input. */
const NEVER_DATA: readonly ErrorCode[] = ['UNAUTHENTICATED', 'INTERNAL', 'RATE_LIMITED'];

/** Turns what a service threw into `userErrors`, with paths from `input` downward. */
@Injectable()
export class Payloads {
  constructor(private readonly settings: ApiSettings) {}

  toUserErrors(issues: readonly Issue[], prefix: readonly string[] = ['input']): UserError[] {
    return issues.map((issue) => ({
      code: issue.code,
      message: issue.message,
      path: issue.path ? [...prefix, ...issue.path] : null,
      docsUrl: this.settings.docsUrl(issue.code),
      retryAt: issue.retryAt ?? null,
    }));
  }

  /**
   * Runs a mutation and answers its payload. Expected failures become data beside `empty`; everything else is thrown.
   * @param empty the payload's fields when nothing was done
   */
  async of<Fields extends object>(
    empty: Fields,
    work: () => Promise<Fields & { userErrors?: UserError[] }>,
  ): Promise<Fields & { userErrors: UserError[] }> {
    try {
      return { userErrors: [], ...(await work()) };
    } catch (error) {
      if (!(error instanceof DomainError) || NEVER_DATA.includes(error.code)) throw error;
      return { ...empty, userErrors: this.toUserErrors(error.issues) };
    }
  }
}

/** One field of the input is wrong; for what only the edge can see. */
export function invalidField(field: string, message: string): DomainError {
  return new DomainError({ code: 'INVALID_INPUT', message, path: field.split('.') });
}

/** Where the input calls a field otherwise than the service does: issues at `from` are told at `to`. */
export async function renamed<T>(from: readonly string[], to: readonly string[], work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const [first, ...rest] = error.issues.map((issue) =>
      issue.path?.join('.') === from.join('.') ? { ...issue, path: to } : issue,
    );
    throw first ? new DomainError(first, ...rest) : error;
  }
}
