import { isPoison, isRefusedData } from './poison.policy';

const odd = new TypeError('x is undefined');

describe('an error while something is applied', () => {
  it.each<[string, unknown]>([
    ['a value that the database refuses', Object.assign(new Error(), { driverError: { code: '22021' } })],
    ['a broken constraint', Object.assign(new Error(), { code: '23514' })],
    ['an index entry that is too large', Object.assign(new Error(), { code: '54000' })],
    ['what a trigger raises', Object.assign(new Error(), { code: 'P0001' })],
  ])('is the fault of the data when it is %s', (_what, error) => {
    expect(isPoison(error)).toBe(true);
    expect(isRefusedData(error)).toBe(true);
  });

  it('is the fault of an event, but not what PostgreSQL says of data, when it is a value that no code expected', () => {
    expect(isPoison(odd)).toBe(true);
    expect(isRefusedData(odd)).toBe(false);
  });

  it.each<[string, unknown]>([
    ['a lost connection', Object.assign(new Error(), { code: 'ECONNRESET' })],
    ['a server that shuts down', Object.assign(new Error(), { code: '57P01' })],
    ['a dead-lock', Object.assign(new Error(), { driverError: { code: '40P01' } })],
    ['a read-only database', Object.assign(new Error(), { code: '25006' })],
    ['a full disk', Object.assign(new Error(), { code: '53100' })],
    ['an error without a code', new Error('timeout')],
  ])('passes when it is %s', (_what, error) => {
    expect(isPoison(error)).toBe(false);
    expect(isRefusedData(error)).toBe(false);
  });
});
