import { unwrapResolverError } from '@apollo/server/errors';
import { DomainError, type ErrorCode } from '@libs/kernel';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { isErrorCode } from './api.errors';
import { literalPath } from './literal-path.policy';

const MAX_MESSAGE = 600;

/** graphql names the size of an Int, not the limits that follow from it. */
const INT_LIMIT = 'Int cannot represent non 32-bit signed integer value: ';
const INT_LIMIT_IN_WORDS = 'Int must be a whole number from -2147483648 to 2147483647; found ';

/** Apollo's and graphql's own refusals of a document, in our words. */
const TRANSLATED: Readonly<Record<string, ErrorCode>> = {
  GRAPHQL_PARSE_FAILED: 'INVALID_INPUT',
  GRAPHQL_VALIDATION_FAILED: 'INVALID_INPUT',
  BAD_USER_INPUT: 'INVALID_INPUT',
  BAD_REQUEST: 'INVALID_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'INVALID_INPUT',
  PERSISTED_QUERY_NOT_SUPPORTED: 'INVALID_INPUT',
};

/** graphql says these in its own words when a document exceeds a limit. */
const TOO_COMPLEX =
  /more that \d+ tokens|Maximum introspection depth|maximum allowed number of nodes|too many selections/i;

export interface FormattedError {
  readonly shown: GraphQLFormattedError;
  /** What to log: a fault of ours, never the caller's. */
  readonly fault?: unknown;
}

interface Edge {
  readonly requestId: string;
  readonly docsUrl: (code: ErrorCode) => string;
}

/**
 * What a client sees of an error: our code, a message without schema suggestions, the request id. Anything we did not
 * mean to say becomes INTERNAL, because resolver messages can carry addresses and passwords (SECURITY.md 1.5, 34).
 */
export function formatApiError(formatted: GraphQLFormattedError, error: unknown, edge: Edge): FormattedError {
  const original = unwrapResolverError(error);
  const place = {
    ...(formatted.locations ? { locations: formatted.locations } : {}),
    ...(formatted.path ? { path: formatted.path } : {}),
  };
  const shownAs = (
    code: ErrorCode,
    message: string,
    more: Readonly<Record<string, unknown>> = {},
  ): GraphQLFormattedError => ({
    message: tidy(message),
    ...place,
    extensions: { code, requestId: edge.requestId, docsUrl: edge.docsUrl(code), retryAt: null, ...more },
  });

  if (original instanceof DomainError) {
    const [issue] = original.issues;
    return {
      shown: shownAs(issue.code, issue.message, {
        ...(issue.path ? { field: issue.path.join('.') } : {}),
        retryAt: issue.retryAt?.toISOString() ?? null,
      }),
    };
  }
  const code = ownCodeOf(error) ?? formatted.extensions?.['code'];
  if (isErrorCode(code) && code !== 'INTERNAL') return { shown: shownAs(code, formatted.message, detailOf(formatted)) };
  const translated = typeof code === 'string' ? TRANSLATED[code] : undefined;
  if (translated !== undefined) {
    const kind = TOO_COMPLEX.test(formatted.message) ? 'QUERY_TOO_COMPLEX' : translated;
    return { shown: shownAs(kind, formatted.message, fieldOf(formatted.message, literalPath(error))) };
  }
  return {
    shown: shownAs('INTERNAL', `Something failed on our side. Quote ${edge.requestId} when you ask about it.`),
    fault: original,
  };
}

/** Apollo puts a code of its own over that of a validation rule of ours; the rule's error is still below. */
function ownCodeOf(error: unknown): ErrorCode | undefined {
  const below = error instanceof GraphQLError ? error.originalError : undefined;
  const code = below instanceof GraphQLError ? below.extensions['code'] : undefined;
  return isErrorCode(code) ? code : undefined;
}

function detailOf(formatted: GraphQLFormattedError): Readonly<Record<string, unknown>> {
  const { cost } = formatted.extensions ?? {};
  return cost === undefined ? {} : { cost };
}

/** Suggestions would name fields and values that were never asked for; a value can be megabytes long. */
function tidy(message: string): string {
  const plain = message
    .replace(/ ?Did you mean [^?]*\?/g, '')
    .replace(INT_LIMIT, INT_LIMIT_IN_WORDS)
    .trim();
  return plain.length > MAX_MESSAGE ? `${plain.slice(0, MAX_MESSAGE)}...` : plain;
}

const BAD_VARIABLE = /^Variable "\$(\w+)" got invalid value .*? at "([^"]+)"; /s;
const BAD_ROOT_VARIABLE = /^Variable "\$(\w+)" /;
/** Of an object that is written into the document, whose own place is known. */
const MISSING_IN_LITERAL = /^Field "\w+\.(\w+)" of required type/;
const ARGUMENT = /^(?:Unknown a|Field "\w+" a|A)rgument "(\w+)"/;
const MISSING_FIELD = /Field "(\w+)" of required type/;
const UNKNOWN_FIELD = /Field "(\w+)" is not defined by type/;

/** Which variable and field a refused value stands in: graphql says it in prose, programs need it as data. */
function fieldOf(message: string, literal: readonly string[]): Readonly<Record<string, unknown>> {
  const nested = BAD_VARIABLE.exec(message);
  const variable = nested?.[1] ?? BAD_ROOT_VARIABLE.exec(message)?.[1];
  if (variable === undefined) {
    const missingOne = MISSING_IN_LITERAL.exec(message)?.[1];
    const place = missingOne === undefined ? literal : [...literal, missingOne];
    const field = place.length > 0 ? place.join('.') : ARGUMENT.exec(message)?.[1];
    return field === undefined ? {} : { field };
  }
  const missing = (MISSING_FIELD.exec(message) ?? UNKNOWN_FIELD.exec(message))?.[1];
  const field = [
    ...(nested?.[2] ?? variable).replace(/\[(\d+)\]/g, '.$1').split('.'),
    ...(missing === undefined ? [] : [missing]),
  ];
  return { variable, field: field.join('.'), inputPath: field };
}
