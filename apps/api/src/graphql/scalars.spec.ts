import { GraphQLObjectType, GraphQLSchema, parse, validate } from 'graphql';
import { literalPath } from './literal-path.policy';
import { BigIntScalar, DateTime, Decimal, EmailAddress, Url } from './scalars';

describe('a DateTime', () => {
  it.each([
    ['2026-11-22T09:41:00Z', '2026-11-22T09:41:00.000Z'],
    ['2026-11-22T09:41:00.123456789+05:30', '2026-11-22T04:11:00.123Z'],
    ['2028-02-29T23:59:59-12:00', '2028-03-01T11:59:59.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
  ])('is a moment with a time zone: %s', (text, moment) => {
    expect(DateTime.parseValue(text).toISOString()).toBe(moment);
  });

  it.each(['2026-02-29T00:00:00Z', '2026-02-30T12:00:00+02:00', '2027-04-31T00:00:00Z'])(
    'is never a day that the calendar does not have, nor the one after it: %s',
    (text) => {
      expect(() => DateTime.parseValue(text)).toThrow(`there is no ${text.slice(0, 10)} in the calendar`);
    },
  );

  it.each([
    '2026-11-22',
    '2026-11-22T09:41:00',
    '2026-11-22 09:41:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-00T00:00:00Z',
    '2026-11-22T24:00:00Z',
    '2026-11-22T09:60:00Z',
    '2026-11-22T09:41:00+99:99',
    '+010000-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    1_795_395_043,
  ])('is nothing else: %j', (value) => {
    expect(() => DateTime.parseValue(value)).toThrow('DateTime must');
  });
});

describe('a BigInt', () => {
  it.each([
    [50_000, 50_000n],
    ['999999999999999999', 999_999_999_999_999_999n],
    ['-1', -1n],
  ])('is a whole number: %j', (given, number) => {
    expect(BigIntScalar.parseValue(given)).toBe(number);
  });

  it.each(['1000000000000000000', '', '1.5', '1e5', ' 1', 1.5, Number.NaN])(
    'is nothing else, and the limit is told: %j',
    (value) => {
      expect(() => BigIntScalar.parseValue(value)).toThrow(
        'BigInt must be a whole number such as "50000", of at most 18 digits.',
      );
    },
  );

  it('is no number that JSON has rounded', () => {
    expect(() => BigIntScalar.parseValue(2 ** 53)).toThrow(
      'Give it as a string such as "50000", of at most 18 digits.',
    );
  });
});

describe('a Decimal', () => {
  it.each(['24.95', '-0.000000001', '999999999999999999'])('is an exact number: %s', (given) => {
    expect(Decimal.parseValue(given)).toBe(given);
  });

  it.each(['1000000000000000000', '0.0000000001', '1e5', '.5', '24,95', ''])(
    'is nothing else, and the limits are told: %j',
    (value) => {
      expect(() => Decimal.parseValue(value)).toThrow('of at most 18 digits before the point and 9 after it');
    },
  );
});

describe('a value that is written into the document', () => {
  const types = { at: DateTime, email: EmailAddress, usd: Decimal, count: BigIntScalar, url: Url };
  const args = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]));
  const query = new GraphQLObjectType({ name: 'Query', fields: { find: { type: Decimal, args } } });
  const refused = (list: string) =>
    validate(new GraphQLSchema({ query }), parse(`{ find(${list}) }`)).map((error) => ({
      place: literalPath(error).join('.'),
      line: error.locations?.[0]?.line,
    }));

  it('is read as one in a variable is', () => {
    const list =
      'at: "2026-11-22T09:41:00Z", email: "a@b.example", usd: 24.95, count: 50000, url: "https://example.com/"';
    expect(refused(list)).toEqual([]);
    expect(refused('usd: 24, count: "50000"')).toEqual([]);
  });

  it.each([
    'at: "2026-02-30T00:00:00Z"',
    'email: 5',
    'usd: true',
    'count: 1.5',
    'count: 1000000000000000000',
    'url: 5',
  ])('is refused in its place: %s', (argument) => {
    expect(refused(argument)).toEqual([{ place: argument.split(':')[0], line: 1 }]);
  });
});
