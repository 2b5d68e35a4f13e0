import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { canonicalJson, requestHash } from './idempotency.policy';

describe('the hash of a request', () => {
  it('does not depend on the order of keys, nor on absent and null members', () => {
    expect(canonicalJson({ b: 1, a: [{ d: null, c: 'x' }], e: undefined })).toBe('{"a":[{"c":"x"}],"b":1}');
    expect(requestHash([{ a: 1, b: 2 }])).toEqual(requestHash([{ b: 2, a: 1, c: null }]));
  });

  it('depends on every value and on the order of entries', () => {
    expect(requestHash([{ a: 1 }])).not.toEqual(requestHash([{ a: 2 }]));
    expect(requestHash([{ a: 1 }, { a: 2 }])).not.toEqual(requestHash([{ a: 2 }, { a: 1 }]));
    expect(requestHash([{ a: new Date(0) }])).not.toEqual(requestHash([{ a: new Date(1) }]));
  });

  it('is that of the canonical JSON, whatever a value looks like', () => {
    const member = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.date({ noInvalidDate: false }));
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.oneof(member, fc.array(member)))), (emails) => {
        expect(requestHash(emails)).toEqual(createHash('sha256').update(canonicalJson(emails)).digest());
      }),
    );
  });

  it('survives a round trip through JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value));
      }),
    );
  });
});
