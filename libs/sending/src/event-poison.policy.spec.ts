import { isPoison } from './event-poison.policy';

describe('an error while events are applied', () => {
  it.each<[string, unknown]>([
    ['a value that the database refuses', Object.assign(new Error(), { driverError: { code: '22021' } })],
    ['a broken constraint', Object.assign(new Error(), { code: '23514' })],
    ['an index entry that is too large', Object.assign(new Error(), { code: '54000' })],
    ['a value that no code expected', new TypeError('x is undefined')],
  ])('sets the event aside when it is %s', (_what, error) => {
    expect(isPoison(error)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a lost connection', Object.assign(new Error(), { code: 'ECONNRESET' })],
    ['a server that shuts down', Object.assign(new Error(), { code: '57P01' })],
    ['a dead-lock', Object.assign(new Error(), { driverError: { code: '40P01' } })],
    ['a read-only database', Object.assign(new Error(), { code: '25006' })],
    ['a full disk', Object.assign(new Error(), { code: '53100' })],
    ['an error without a code', new Error('timeout')],
  ])('leaves the event for later when it is %s', (_what, error) => {
    expect(isPoison(error)).toBe(false);
  });
});
