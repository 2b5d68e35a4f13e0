import { DomainError } from '@libs/kernel';
import { buildSchema, GraphQLError, parse, validate } from 'graphql';
import { formatApiError } from './format-error.policy';

const edge = { requestId: 'req_1', docsUrl: (code: string) => `/docs/errors/${code}` };
const format = (message: string, code?: string, original?: Error) => {
  const error = new GraphQLError(message, {
    ...(code ? { extensions: { code } } : {}),
    ...(original ? { originalError: original } : {}),
    path: ['a'],
  });
  const formatted = { message, path: ['a'], extensions: { code: code ?? 'INTERNAL_SERVER_ERROR' } };
  return formatApiError(formatted, error, edge);
};

describe('what a client sees of an error', () => {
  it('is INTERNAL for everything we did not mean to say, with the fault kept for the log', () => {
    const canary = new Error('connect ECONNREFUSED postgres://pf:secretpw@db');
    const { shown, fault } = format(canary.message, undefined, canary);
    expect(JSON.stringify(shown)).not.toContain('secretpw');
    expect(shown.extensions).toMatchObject({ code: 'INTERNAL', requestId: 'req_1' });
    expect(fault).toBe(canary);
  });

  it('is code, field and retry time of a domain error', () => {
    const retryAt = new Date('2026-11-22T09:38:00Z');
    const original = new DomainError({ code: 'PLAN_QUOTA_EXCEEDED', message: 'Full.', path: ['recipients'], retryAt });
    expect(format('Full.', undefined, original).shown).toEqual({
      message: 'Full.',
      path: ['a'],
      extensions: {
        code: 'PLAN_QUOTA_EXCEEDED',
        requestId: 'req_1',
        docsUrl: '/docs/errors/PLAN_QUOTA_EXCEEDED',
        field: 'recipients',
        retryAt: retryAt.toISOString(),
      },
    });
  });

  it.each([
    [
      'Variable "$input" got invalid value "BULK" at "input.email.stream"; Value "BULK" does not exist in "Stream" enum.',
      { variable: 'input', field: 'input.email.stream' },
    ],
    [
      'Variable "$input" got invalid value 5 at "input.emails[3].to[0].email"; EmailAddress must be a string such as "x".',
      { variable: 'input', field: 'input.emails.3.to.0.email' },
    ],
    [
      'Variable "$input" got invalid value { a: 1 } at "input.email"; Field "from" of required type "AddressInput!" was not provided.',
      { variable: 'input', field: 'input.email.from' },
    ],
    [
      'Variable "$input" got invalid value { a: 1 }; Field "email" of required type "EmailInput!" was not provided.',
      { variable: 'input', field: 'input.email' },
    ],
    ['Variable "$input" of required type "SendEmailInput!" was not provided.', { variable: 'input', field: 'input' }],
    ['Field "SendEmailInput.email" of required type "EmailInput!" was not provided.', { field: 'email' }],
    ['Field "message" argument "id" of type "ID!" is required, but it was not provided.', { field: 'id' }],
    ['Unknown argument "frst" on field "Query.messages".', { field: 'frst' }],
  ])('names variable and field: %s', (message, expected) => {
    expect(format(message, 'BAD_USER_INPUT').shown.extensions).toMatchObject({ code: 'INVALID_INPUT', ...expected });
  });

  it('tells the limits of an Int', () => {
    const { shown } = format(
      'Variable "$n" got invalid value 3000000000; Int cannot represent non 32-bit signed integer value: 3000000000',
      'BAD_USER_INPUT',
    );
    expect(shown.message).toBe(
      'Variable "$n" got invalid value 3000000000; Int must be a whole number from -2147483648 to 2147483647; found 3000000000',
    );
  });

  it('names the field of a value that is written into the document', () => {
    const schema = buildSchema('type Query { find(in: Where): Int } input Where { n: Int, must: Int! }');
    const [wrong] = validate(schema, parse('{ find(in: { n: "x", must: 1 }) }'));
    const [missing] = validate(schema, parse('{ find(in: { n: 1 }) }'));
    const fields = [wrong, missing].map((original) => {
      const formatted = { message: original?.message ?? '', extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } };
      return formatApiError(formatted, original, edge).shown.extensions?.['field'];
    });
    expect(fields).toEqual(['in.n', 'in.must']);
  });

  it('has no suggestions in it', () => {
    const { shown } = format(
      'Cannot query field "viewr" on type "Query". Did you mean "viewer" or "node"?',
      'GRAPHQL_VALIDATION_FAILED',
    );
    expect(shown.message).toBe('Cannot query field "viewr" on type "Query".');
  });

  it.each([
    ['Syntax Error: Document contains more that 1500 tokens. Parsing aborted.', 'GRAPHQL_PARSE_FAILED'],
    ['Anonymous operation recursively requests too many selections.', 'GRAPHQL_VALIDATION_FAILED'],
    ['Maximum introspection depth exceeded', 'GRAPHQL_VALIDATION_FAILED'],
  ])('is QUERY_TOO_COMPLEX for the limits that graphql and Apollo keep: %s', (message, code) => {
    expect(format(message, code).shown.extensions?.['code']).toBe('QUERY_TOO_COMPLEX');
  });
});
