import { newId } from '@libs/kernel';
import { LedgerUnavailable, unavailableReason } from './quota.errors';

describe('why Redis does not serve the ledger', () => {
  it.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", 'out-of-memory'],
    ['EVICTS Redis throws keys away when its memory is full (maxmemory-policy allkeys-lru).', 'evicting'],
    ['NEWER its layout is 4, here it is 3. script: 0f, on @user_script:173.', 'newer-version'],
    ["READONLY You can't write against a read only replica.", 'read-only'],
    ['MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.', 'read-only'],
    ['NOREPLICAS Not enough good replicas to write.', 'read-only'],
    ['LOADING Redis is loading the dataset in memory', 'loading'],
    ['BUSY Redis is busy running a script.', 'busy'],
    ['CLUSTERDOWN Hash slot not served', 'cluster-down'],
    ['ERR Script attempted to access a non local key in a cluster node script: 0f, on @user_script:174.', 'moving'],
    ['Connection is closed.', 'unreachable'],
    ["Stream isn't writeable and enableOfflineQueue options is false", 'unreachable'],
    ['Reached the max retries per request limit (which is 1).', 'unreachable'],
    ['ERR Error running script (call to f_1): @user_script:3: OOM command not allowed', 'out-of-memory'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', undefined],
    ['ERR user_script:12: attempt to index a nil value', undefined],
  ])('is read from "%s"', (message, reason) => {
    expect(unavailableReason(new Error(message))).toBe(reason);
  });

  it('is read from the code of a socket', () => {
    expect(unavailableReason(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).toBe('unreachable');
  });
});

it.each([
  ["OOM command not allowed when used memory > 'maxmemory'.", /out-of-memory.*Raise maxmemory/],
  ["READONLY You can't write against a read only replica.", /read-only.*replica\. REDIS_URL must name a master/],
  ['Connection is closed.', /unreachable.*Start Redis, or correct REDIS_URL/],
  ['LOADING Redis is loading the dataset in memory', /loading\): LOADING Redis is loading the dataset in memory$/],
])('a ledger that fails with "%s" says what to do about it', (message, told) => {
  const cause = new Error(message);
  const reason = unavailableReason(cause);
  if (reason === undefined) throw new Error('no reason');
  expect(new LedgerUnavailable(reason, newId(), cause).message).toMatch(told);
});
