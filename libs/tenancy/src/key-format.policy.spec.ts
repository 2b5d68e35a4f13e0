import fc from 'fast-check';
import { digestOf, mintKey, parseKey, shownPrefix, type KeyKind } from './key-format.policy';

const BASE62 = Array.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
const kinds = fc.constantFrom<KeyKind>('LIVE', 'TEST', 'ADMIN');

describe('a key', () => {
  it.each<[KeyKind, RegExp]>([
    ['LIVE', /^pf_live_[0-9A-Za-z]{36}$/],
    ['TEST', /^pf_test_[0-9A-Za-z]{36}$/],
    ['ADMIN', /^pf_adm_[0-9A-Za-z]{36}$/],
  ])('of kind %s has its prefix, 30 characters of secret and 6 of checksum', (kind, shape) => {
    expect(mintKey(kind)).toMatch(shape);
  });

  it('parses back to what it was made as', () => {
    fc.assert(
      fc.property(kinds, (kind) => {
        const key = mintKey(kind);
        expect(parseKey(key)).toEqual({ kind, key });
      }),
    );
  });

  it('is refused after any change of one character, at every place and with every character', () => {
    for (const kind of ['LIVE', 'TEST', 'ADMIN'] as const) {
      const key = mintKey(kind);
      for (let place = 0; place < key.length; place += 1) {
        for (const character of [...BASE62, '_', '-', ' ', 'é', '\u0000']) {
          if (key[place] === character) continue;
          expect(parseKey(key.slice(0, place) + character + key.slice(place + 1))).toBeUndefined();
        }
      }
    }
  });

  it('is refused when a character is missing, added, or two neighbours are swapped', () => {
    fc.assert(
      fc.property(kinds, fc.nat(35), fc.constantFrom(...BASE62), (kind, place, character) => {
        const key = mintKey(kind);
        const at = key.length - 36 + place;
        expect(parseKey(key.slice(0, at) + key.slice(at + 1))).toBeUndefined();
        expect(parseKey(key.slice(0, at) + character + key.slice(at))).toBeUndefined();
        const left = key[at] ?? '';
        const right = key[at + 1] ?? '';
        fc.pre(left !== right && right !== '');
        expect(parseKey(key.slice(0, at) + right + left + key.slice(at + 2))).toBeUndefined();
      }),
    );
  });

  it('is not taken for one of another kind by changing its prefix', () => {
    fc.assert(
      fc.property(kinds, kinds, (from, to) => {
        fc.pre(from !== to);
        const prefix = { LIVE: 'pf_live_', TEST: 'pf_test_', ADMIN: 'pf_adm_' } as const;
        expect(parseKey(prefix[to] + mintKey(from).slice(prefix[from].length))).toBeUndefined();
      }),
    );
  });

  it('is not found in arbitrary text of the right shape', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...BASE62), { minLength: 36, maxLength: 36 }), (characters) => {
        expect(parseKey(`pf_live_${characters.join('')}`)).toBeUndefined();
      }),
      { numRuns: 5_000 },
    );
  });

  it('never comes twice', () => {
    expect(new Set(Array.from({ length: 2_000 }, () => mintKey('LIVE'))).size).toBe(2_000);
  });

  it('shows its prefix and four more characters, and its digest depends on the pepper', () => {
    const key = mintKey('TEST');
    expect(shownPrefix(key)).toBe(key.slice(0, 12));
    expect(digestOf(key, 'a'.repeat(32))).toHaveLength(32);
    expect(digestOf(key, 'a'.repeat(32)).equals(digestOf(key, 'b'.repeat(32)))).toBe(false);
  });
});
