import { Log } from './log';

const lines: string[] = [];
const log = new Log({ name: 'test', level: 'info', write: (line) => lines.push(line) });
const written = (): Record<string, unknown> => JSON.parse(lines.pop() ?? '{}') as Record<string, unknown>;

describe('the log', () => {
  it('writes one line of JSON per fact, with its fields, its level and the name of the process', () => {
    log.info('placed', { tenant: 'ten_1' });
    expect(written()).toMatchObject({ name: 'test', level: 30, msg: 'placed', tenant: 'ten_1' });
    log.debug('nobody asked');
    expect(lines).toEqual([]);
  });

  it('tells an error by its kind and place, without secrets', () => {
    log.error('failed', { account: 'a', error: new RangeError('postgres://pf:hunter2@db is away') });
    expect(written()).toMatchObject({
      level: 50,
      account: 'a',
      error: {
        type: 'RangeError',
        message: 'postgres://pf:***@db is away',
        stack: expect.stringContaining('log.spec') as string,
      },
    });
  });

  it('keeps what Nest passes beside a message', () => {
    log.warn('slow', 'Router', 'boot');
    expect(written()).toMatchObject({ msg: 'slow', context: ['Router', 'boot'] });
  });

  it('does not repeat a trouble without end, but finds every request', () => {
    let now = 0;
    const sparing = new Log({
      name: 'test',
      level: 'info',
      write: (line) => lines.push(line),
      monotonicMs: () => now,
    });
    for (let i = 0; i < 50; i++) sparing.warn('the pump failed', { account: i, error: new Error('Redis is away') });
    expect(lines.splice(0)).toHaveLength(3);
    now = 10_000;
    sparing.warn('the pump failed', { account: 1, error: new Error('Redis is away') });
    expect(written()).toMatchObject({ account: 1, unsaid: 47 });
    for (let i = 0; i < 5; i++)
      sparing.error('a request failed', { requestId: `r${String(i)}`, error: new Error('no') });
    for (let i = 0; i < 5; i++) sparing.warn('a ledger is stale: rebuilding it', { account: i });
    expect(lines.splice(0)).toHaveLength(10);
  });

  it('goes on when standard output takes nothing any more', () => {
    const before = process.stdout.listeners('error');
    process.stdout.removeAllListeners('error');
    new Log({ name: 'test', level: 'silent' });
    // As Node says that the disk is full or the reader has gone; without a listener it ends the process.
    expect(() => process.stdout.emit('error', new Error('EPIPE'))).not.toThrow();
    process.stdout.removeAllListeners('error');
    for (const listener of before) process.stdout.on('error', listener as (error: Error) => void);
  });
});
