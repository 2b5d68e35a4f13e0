import { Kind, GraphQLError, GraphQLScalarType, type ValueNode } from 'graphql';

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
/** PostgreSQL has no year 0, and RFC 3339 no year of five digits. */
const YEAR_1 = Date.parse('0001-01-01T00:00:00Z');
const YEAR_10000 = Date.parse('+010000-01-01T00:00:00Z');
/** Above this, no scalar value is worth looking at: bodies travel in String fields with limits of their own. */
const MAX_SCALAR_CHARACTERS = 4_096;

function text(kind: string, value: unknown, example: string): string {
  if (typeof value !== 'string') throw new GraphQLError(`${kind} must be a string such as "${example}".`);
  if (value.length > MAX_SCALAR_CHARACTERS)
    throw new GraphQLError(
      `${kind} must be such as "${example}", never of more than ${MAX_SCALAR_CHARACTERS} characters.`,
    );
  return value;
}

/** The same of a value that is written into the document: an error that does not name it would have no place there. */
function inDocument<Value>(
  parse: (value: unknown) => Value,
  ...numbers: readonly (Kind.INT | Kind.FLOAT)[]
): (node: ValueNode) => Value {
  return (node) => {
    const isKnown = node.kind === Kind.STRING || numbers.some((kind) => kind === node.kind);
    try {
      return parse(isKnown && 'value' in node ? node.value : undefined);
    } catch (error) {
      throw error instanceof GraphQLError ? new GraphQLError(error.message, { nodes: node }) : error;
    }
  };
}

function parseDateTime(value: unknown): Date {
  const given = text('DateTime', value, '2026-11-22T09:41:00Z');
  const day = DATE_TIME.exec(given)?.[1];
  const ms = day === undefined ? Number.NaN : Date.parse(given);
  if (day === undefined || Number.isNaN(ms)) {
    throw new GraphQLError('DateTime must look like "2026-11-22T09:41:00Z", with a time zone.');
  }
  // Date.parse reads the 30th of February as the 2nd of March: mail would leave on a day nobody wrote.
  const midnight = new Date(`${day}T00:00:00Z`);
  if (midnight.toISOString().slice(0, 10) !== day)
    throw new GraphQLError(`DateTime: there is no ${day} in the calendar.`);
  if (!(ms >= YEAR_1 && ms < YEAR_10000)) throw new GraphQLError('DateTime must be in the years 0001 to 9999, in UTC.');
  return new Date(ms);
}

/** A moment, always answered in UTC. */
export const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment in RFC 3339, for example "2026-11-22T09:41:00Z". A time zone is required; answers are in UTC.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (value) => (value as Date).toISOString(),
  parseValue: parseDateTime,
  parseLiteral: inDocument(parseDateTime),
});

const parseEmailAddress = (value: unknown): string => text('EmailAddress', value, 'ann@example.com');

/**
 * Takes any string on purpose: a malformed address is the mutation's userError with the path of the entry that has it,
 * not a refusal of the whole document.
 */
export const EmailAddress = new GraphQLScalarType<string, string>({
  name: 'EmailAddress',
  description:
    'A bare address such as "ann@example.com", at most 320 characters, never "Ann <ann@example.com>". A malformed one is refused with INVALID_INPUT and its path.',
  serialize: (value) => value as string,
  parseValue: parseEmailAddress,
  parseLiteral: inDocument(parseEmailAddress),
});

function parseDecimal(value: unknown): string {
  if (typeof value !== 'string' || !/^-?\d{1,18}(\.\d{1,9})?$/.test(value)) {
    throw new GraphQLError(
      'Decimal must be a number in a string such as "24.95", of at most 18 digits before the point and 9 after it.',
    );
  }
  return value;
}

/** Money and rates: never a float. */
export const Decimal = new GraphQLScalarType<string, string>({
  name: 'Decimal',
  description:
    'An exact decimal number as a string, for example "24.95", of at most 18 digits before the point and 9 after it. Money is in US dollars unless said otherwise.',
  serialize: (value) => String(value),
  parseValue: parseDecimal,
  parseLiteral: inDocument(parseDecimal, Kind.INT, Kind.FLOAT),
});

function parseBigInt(value: unknown): bigint {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new GraphQLError(
      `BigInt: a JSON number above ${Number.MAX_SAFE_INTEGER} loses digits. Give it as a string such as "50000", of at most 18 digits.`,
    );
  }
  const given = typeof value === 'number' ? String(value) : value;
  if (typeof given !== 'string' || !/^-?\d{1,18}$/.test(given))
    throw new GraphQLError('BigInt must be a whole number such as "50000", of at most 18 digits.');
  return BigInt(given);
}

/** Counters that outgrow 32 bits. */
export const BigIntScalar = new GraphQLScalarType<bigint, string>({
  name: 'BigInt',
  description:
    'A whole number of up to 18 digits, answered as a string, for example "1500000". Accepted as a string or an integer.',
  serialize: (value) => String(value),
  parseValue: parseBigInt,
  parseLiteral: inDocument(parseBigInt, Kind.INT, Kind.FLOAT),
});

function literalToJson(node: ValueNode, variables: Readonly<Record<string, unknown>> | null | undefined): unknown {
  switch (node.kind) {
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map((field) => [field.name.value, literalToJson(field.value, variables)]));
    case Kind.LIST:
      return node.values.map((value) => literalToJson(value, variables));
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.NULL:
      return null;
    case Kind.VARIABLE:
      return variables?.[node.name.value];
    default:
      return node.value;
  }
}

export const Json = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value. Used for tags and event data only.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: literalToJson,
});

const parseUrl = (value: unknown): string => text('URL', value, 'https://example.com/');

export const Url = new GraphQLScalarType<string, string>({
  name: 'URL',
  description: 'An address of the web, absolute, or relative to this server.',
  serialize: (value) => value as string,
  parseValue: parseUrl,
  parseLiteral: inDocument(parseUrl),
});
