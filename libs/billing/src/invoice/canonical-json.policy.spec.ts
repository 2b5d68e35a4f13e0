import fc from 'fast-check';
import { canonicalJson, hashOf } from './canonical-json.policy';

describe('canonical JSON', () => {
  it('sorts keys at every depth, keeps the order of lists, and leaves out what is undefined', () => {
    const value = { b: [3, { z: null, a: 'é"' }], a: { d: true, c: undefined } };
    expect(canonicalJson(value)).toBe('{"a":{"d":true},"b":[3,{"a":"é\\"","z":null}]}');
  });

  it('is JSON that says the same, whatever order the keys came in', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('has another hash when anything changes', () => {
    expect(hashOf({ a: '1' })).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf({ a: '1' })).not.toBe(hashOf({ a: '2' }));
    expect(hashOf(['a', 'b'])).not.toBe(hashOf(['b', 'a']));
  });
});
