import fc from 'fast-check';
import { chance, latencyMs } from './seeded-chance.policy';

describe('seeded chance', () => {
  it('is a number in [0, 1) that depends on seed and key alone', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), (seed, key) => {
        const drawn = chance(seed, key);
        expect(drawn).toBeGreaterThanOrEqual(0);
        expect(drawn).toBeLessThan(1);
        expect(chance(seed, key)).toBe(drawn);
      }),
    );
  });

  it.each([1, 2, 77])('hits rates of 5 % and 0.2 % among similar keys, seed %i', (seed) => {
    const draws = Array.from({ length: 100_000 }, (_, i) =>
      chance(seed, `ann@tenant.example|Hello|user${i}@inbox.example`),
    );
    expect(draws.filter((one) => one < 0.05).length).toBeGreaterThan(4700);
    expect(draws.filter((one) => one < 0.05).length).toBeLessThan(5300);
    expect(draws.filter((one) => one < 0.002).length).toBeGreaterThan(140);
    expect(draws.filter((one) => one < 0.002).length).toBeLessThan(260);
  });

  it('gives latencies with the asked median and 99th percentile', () => {
    const sorted = Array.from({ length: 20_000 }, (_, i) =>
      latencyMs(chance(1, `a${i}`), chance(1, `b${i}`), 15, 80),
    ).sort((a, b) => a - b);
    expect(sorted[10_000]).toBeGreaterThan(14);
    expect(sorted[10_000]).toBeLessThan(16);
    expect(sorted[19_800]).toBeGreaterThan(70);
    expect(sorted[19_800]).toBeLessThan(92);
    expect(latencyMs(0.3, 0.9, 0, 80)).toBe(0);
  });
});
