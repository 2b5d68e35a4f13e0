import { parseArguments } from './arguments';

describe('arguments of npm start', () => {
  it('uses a little over ten thousand messages, seed 1, kept data and no insisted port when nothing is said', () => {
    expect(parseArguments([])).toEqual({
      once: false,
      playDay: false,
      json: false,
      messages: 10_200,
      seed: 1,
      killWorker: 0,
      workers: 1,
      redisCluster: false,
      reset: false,
      data: undefined,
      port: undefined,
    });
  });

  it.each([
    [['--once', '--json'], { once: true, json: true }],
    [['--messages', '500'], { messages: 500 }],
    [['--messages=500'], { messages: 500 }],
    [['--seed', '0'], { seed: 0 }],
    [['--kill-worker', '3', '--reset'], { killWorker: 3, reset: true }],
    [['--workers', '2', '--redis-cluster'], { workers: 2, redisCluster: true, playDay: false }],
    [['--keep'], { reset: false }],
    [['--port=8080'], { port: 8080 }],
    [['--data', '/srv/postfleet'], { data: '/srv/postfleet' }],
    [['--seed', '1', '--seed', '2'], { seed: 2 }],
  ])('reads %j', (args, expected) => {
    expect(parseArguments(args)).toMatchObject(expected);
  });

  it.each([
    [['--message', '5'], 'unknown option "--message"'],
    [['extra'], 'unknown option "extra"'],
    [['--once=yes'], '--once takes no value'],
    [['--messages'], '--messages needs a number'],
    [['--messages', '--once'], '--messages must be a whole number from 1 to 1000000, got "--once"'],
    [['--messages', '0'], '--messages must be'],
    [['--messages', '1000001'], '--messages must be'],
    [['--messages', '1e3'], '--messages must be'],
    [['--messages', '0x10'], '--messages must be'],
    [['--messages', '-1'], '--messages must be'],
    [['--messages='], '--messages must be'],
    [['--seed', '2147483648'], '--seed must be'],
    [['--port', '0'], '--port must be'],
    [['--port', '65536'], '--port must be'],
    [['--kill-worker', '101'], '--kill-worker must be'],
    [['--data'], '--data needs the path of a folder'],
    [['--data', '--once'], '--data needs the path of a folder'],
    [['--keep', '--reset'], 'contradict'],
  ])('refuses %j, naming what is wrong', (args, message) => {
    expect(() => parseArguments(args)).toThrow(message);
  });

  it.each(['toString', '__proto__', 'constructor'])('does not take the word %s for an option', (word) => {
    expect(() => parseArguments([word])).toThrow(`unknown option "${word}"`);
  });

  it.each([
    [['--once'], true],
    [['--messages', '5'], true],
    [['--kill-worker=2'], true],
    [['--port', '3000'], false],
    [['--json'], false],
  ])('plays the day again for %j: %s', (args, expected) => {
    expect(parseArguments(args).playDay).toBe(expected);
  });
});
