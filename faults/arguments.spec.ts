import { parseFaultArguments } from './arguments';

const known = ['kill-worker', 'flushall', 'ses-hang'];
const parse = (...args: string[]) => parseFaultArguments(args, known);

describe('arguments of npm run faults', () => {
  it('are every fault, one worker, one Redis and seed 1 when nothing is said', () => {
    expect(parse()).toEqual({
      only: undefined,
      list: false,
      json: false,
      seed: 1,
      workers: 1,
      redis: 'single',
      data: undefined,
    });
  });

  it.each([
    [['--only', 'flushall,kill-worker', '--json'], { only: ['kill-worker', 'flushall'], json: true }],
    [['--only=ses-hang', '--seed=7'], { only: ['ses-hang'], seed: 7 }],
    [['--only', 'flushall, kill-worker'], { only: ['kill-worker', 'flushall'] }],
    [['--workers', '2', '--redis', 'cluster'], { workers: 2, redis: 'cluster' }],
    [['--redis-cluster'], { redis: 'cluster' }],
    [['--list', '--data', '/somewhere'], { list: true, data: '/somewhere' }],
  ])('are read from %j', (args, expected) => {
    expect(parse(...args)).toMatchObject(expected);
  });

  it.each([
    [['--only'], /--only needs names/],
    [['--only', 'earthquake'], /no fault earthquake; the faults are kill-worker, flushall, ses-hang/],
    [['--workers', '0'], /--workers .* 1 to 4/],
    [['--seed', '-1'], /--seed/],
    [['--redis', 'three'], /single or cluster/],
    [['--data', '--json'], /--data needs/],
    [['--fast'], /unknown option "--fast"; known are --only, .*--list/],
    [['--json=yes'], /--json takes no value/],
  ])('name what is wrong with %j', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });
});
