import fc from 'fast-check';
import { credentialUse, jitter, refreshAtMs, refreshPauseMs } from './credential-refresh.policy';

describe('when a session is refreshed', () => {
  it('is between 50 and 75 % of its life, for every seed and session', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.string(),
        fc.nat(2 ** 40),
        fc.integer({ min: 1, max: 43_200_000 }),
        (seed, key, issuedAtMs, life) => {
          const at = refreshAtMs({ issuedAtMs, expiresAtMs: issuedAtMs + life }, jitter(seed, key, issuedAtMs));
          expect(at).toBeGreaterThanOrEqual(issuedAtMs + Math.floor(life / 2));
          expect(at).toBeLessThanOrEqual(issuedAtMs + Math.ceil(life * 0.75));
        },
      ),
    );
  });

  it('differs between sessions, and is the same again for the same seed', () => {
    expect(jitter(1, 'a', 5)).toBe(jitter(1, 'a', 5));
    expect(new Set(['a', 'b', 'c', 'd'].map((key) => jitter(1, key, 5))).size).toBe(4);
  });

  it('asks, uses, uses while refreshing, and asks again at the very end', () => {
    const life = { issuedAtMs: 0, expiresAtMs: 100 };
    expect(credentialUse(undefined, 0, 0)).toBe('wait');
    expect(credentialUse(life, 60, 59)).toBe('use');
    expect(credentialUse(life, 60, 60)).toBe('use-and-refresh');
    expect(credentialUse(life, 60, 99)).toBe('use-and-refresh');
    expect(credentialUse(life, 60, 100)).toBe('wait');
  });

  it('pauses longer after each failure, 30 s at most', () => {
    expect([0, 1, 2, 3, 6, 60].map(refreshPauseMs)).toEqual([0, 1_000, 2_000, 4_000, 30_000, 30_000]);
  });
});
