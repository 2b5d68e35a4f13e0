import fc from 'fast-check';
import { leftWithThe, partOf } from './fair-share.policy';

describe('the part of a tenant', () => {
  const unknown = Number.POSITIVE_INFINITY;

  it.each<[bigint, number, { weight: number; waiting: number }[], bigint]>([
    [100n, 1, [], 100n],
    [100n, 1, [{ weight: 1, waiting: unknown }], 50n],
    [100n, 3, [{ weight: 1, waiting: unknown }], 75n],
    [100n, 1, [{ weight: 1, waiting: 10 }], 90n],
    // Who has little left is served whole; the rest is shared by weight.
    [
      100n,
      1,
      [
        { weight: 1, waiting: unknown },
        { weight: 8, waiting: 10 },
      ],
      45n,
    ],
    [0n, 1, [{ weight: 1, waiting: unknown }], 0n],
  ])('of %i with weight %i beside %j is %i', (room, weight, others, part) => {
    expect(partOf(room, weight, others)).toBe(part);
  });

  it('is as many as go before the room is used up, and not one more', () => {
    const weight = fc.integer({ min: 1, max: 20 });
    const other = fc.record({ weight, waiting: fc.oneof(fc.nat(49), fc.constant(unknown)) });
    fc.assert(
      fc.property(fc.nat(100_000), weight, fc.array(other, { maxLength: 6 }), (room, own, others) => {
        const part = Number(partOf(BigInt(room), own, others));
        expect(leftWithThe(part, own, others)).toBeLessThanOrEqual(room + 1e-6);
        expect(leftWithThe(part + 1, own, others)).toBeGreaterThan(room - 1e-6);
      }),
    );
  });
});
