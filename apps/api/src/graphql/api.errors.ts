import { HeaderMap } from '@apollo/server';
import { ERROR_CODES, type ErrorCode } from '@libs/kernel';
import { GraphQLError } from 'graphql';

/** Which HTTP status a refusal of the whole request has. Failures inside an answer stay 200: they are data. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  PAYLOAD_TOO_LARGE: 413,
  INTERNAL: 500,
};

function httpStatusOf(code: ErrorCode): number {
  return STATUS[code] ?? 400;
}

/** A refusal of the whole document, with the HTTP status of its code. */
export function refusal(
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code, http: { status: httpStatusOf(code), headers: new HeaderMap(Object.entries(headers)) } },
  });
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
}
