import fc from 'fast-check';
import { isWithinShape } from './json-shape.policy';

function nest(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = [value];
  return value;
}

describe('the shape of a body', () => {
  it('is allowed up to its depth and not one level more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), (depth) => {
        expect(isWithinShape(nest(depth), 20, 1_000)).toBe(depth <= 20);
      }),
    );
  });

  it('is allowed up to its number of values and not one more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), (count) => {
        expect(isWithinShape(Array.from({ length: count }), 20, 100)).toBe(count + 1 <= 100);
      }),
    );
  });

  it('is measured without recursion', () => {
    expect(isWithinShape(nest(1_000_000), 20, 200_000)).toBe(false);
    expect(isWithinShape(nest(1_000), 2_000, 200_000)).toBe(true);
  });
});
