import { noDatabase } from './progress';

const withCode = (error: Error, code: string) => Object.assign(error, { code });

describe('what a command says of a database that does not answer', () => {
  it.each([
    [
      'nobody listens',
      withCode(new Error('connect ECONNREFUSED 127.0.0.1:1'), 'ECONNREFUSED'),
      /127\.0\.0\.1:1\. Does/,
    ],
    [
      'nobody listens at any address of the name',
      withCode(
        new AggregateError([withCode(new Error('connect ECONNREFUSED ::1:1'), 'ECONNREFUSED')], ''),
        'ECONNREFUSED',
      ),
      /^connect ECONNREFUSED ::1:1\. Does DATABASE_ADMIN_URL/,
    ],
    ['the password is wrong', withCode(new Error('password authentication failed'), '28P01'), /DATABASE_ADMIN_URL/],
    ['it was never migrated', withCode(new Error('relation "api_key" does not exist'), '42P01'), /npm run db:migrate/],
  ])('names what to look at where %s', (_, error, words) => {
    expect(noDatabase(error)).toMatch(words);
  });

  it('leaves every other error alone', () => {
    expect(noDatabase(withCode(new Error('duplicate key'), '23505'))).toBeUndefined();
    expect(noDatabase('text')).toBeUndefined();
  });
});
