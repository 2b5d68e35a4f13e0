import { warmUpCaps } from './warm-up.policy';

const ip = (warmupPercentage: number, warmupStatus = 'IN_PROGRESS') => ({ warmupPercentage, warmupStatus });

describe('the caps of a lane that warms up', () => {
  it.each([
    ['two IPs at a tenth and a fifth', [ip(10), ip(20)], 15_000, 1_875],
    ['an IP on its first day', [ip(0)], 500, 63],
    ['an IP about to be warm', [ip(100)], 50_000, 6_250],
    ['a warm IP beside a cold one: SES sends the rest through the warm one', [ip(5), ip(100, 'DONE')], null, null],
    ['managed IPs, which warm up by themselves', [ip(-1, 'NOT_APPLICABLE')], null, null],
    ['a pool without IPs', [], null, null],
  ])('are right for %s', (_, ips, dayCap, hourCap) => {
    expect(warmUpCaps(ips)).toEqual({ dayCap, hourCap });
  });
});
