import { LedgerModel } from '../../libs/quota/src/testing';
import { playSeed } from '../../simulation/run';

const sound = (bucketMs: number, buckets: number) => new LedgerModel(bucketMs, buckets);

describe('the engine on a virtual clock', () => {
  jest.setTimeout(600_000);

  it('breaks no rule in ten seeds of faults', async () => {
    const broken: string[] = [];
    for (let seed = 1; seed <= 10; seed += 1) {
      const { violations } = await playSeed(seed, sound);
      for (const { rule, what } of violations) broken.push(`seed ${String(seed)}: ${rule}: ${what}`);
    }
    expect(broken).toEqual([]);
  });

  it.each([
    ['frees-early', 'over-quota'],
    ['refunds-twice', 'over-quota'],
    ['ignores-cuts', 'over-quota'],
    ['ignores-caps', 'over-cap'],
  ] as const)('catches a ledger that %s within twenty seeds: %s', async (fault, expected) => {
    const broken = (bucketMs: number, buckets: number) => new LedgerModel(bucketMs, buckets, fault);
    let caught = false;
    for (let seed = 1; seed <= 20 && !caught; seed += 1) {
      const { violations } = await playSeed(seed, broken);
      caught = violations.some(({ rule }) => rule === expected);
    }
    expect(caught).toBe(true);
  });

  it('plays the same run for the same seed, and another one for another', async () => {
    const [once, again, other] = [await playSeed(3, sound), await playSeed(3, sound), await playSeed(4, sound)];
    expect(again).toEqual(once);
    expect(other.hash).not.toBe(once.hash);
  });
});
