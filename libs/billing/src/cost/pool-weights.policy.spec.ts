import type { TenantId } from '@libs/kernel';
import fc from 'fast-check';
import { allocate, IDLE, PLATFORM, type Bearer } from './allocation.policy';
import { sharedPoolWeights, type HourOfUse } from './pool-weights.policy';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-01T00:00:00Z');
const hour = (index: number) => new Date(START + index * HOUR);
const [ann, bob] = ['ann', 'bob'] as unknown as [TenantId, TenantId];
const lease = (from: number, to: number) => ({ from: hour(from), to: hour(to) });
const use = (index: number, bearer: Bearer, recipients: bigint): HourOfUse => ({
  hour: hour(index),
  bearer,
  recipients,
});
const shares = (weights: Map<Bearer, bigint>, whole: bigint) => Object.fromEntries(allocate(whole, weights));

describe('the hours of a shared pool', () => {
  it('are idle when nobody sends', () => {
    expect(shares(sharedPoolWeights([lease(0, 720)], []), 24_950_000n)).toEqual({ [IDLE]: 24_950_000n });
  });

  it('are borne by those who sent in them, by recipients, and idle otherwise', () => {
    const weights = sharedPoolWeights([lease(0, 4)], [use(1, ann, 30n), use(1, bob, 10n), use(3, bob, 1n)]);
    // Four hours: 0 and 2 idle, 1 three quarters ann's, 3 bob's.
    expect(shares(weights, 400n)).toEqual({ ann: 75n, bob: 125n, [IDLE]: 200n });
  });

  it('count as many times as IPs were leased in them', () => {
    const weights = sharedPoolWeights([lease(0, 2), lease(0, 1), lease(0, 1)], [use(0, ann, 1n)]);
    expect(shares(weights, 400n)).toEqual({ ann: 300n, [IDLE]: 100n });
  });

  it('count in parts where a lease begins or ends within one', () => {
    const half = { from: hour(0), to: new Date(START + HOUR / 2) };
    expect(shares(sharedPoolWeights([half, lease(1, 2)], [use(0, ann, 5n)]), 300n)).toEqual({
      ann: 100n,
      [IDLE]: 200n,
    });
  });

  it('are borne by the platform where it was extra attempts that used them', () => {
    expect(shares(sharedPoolWeights([lease(0, 1)], [use(0, PLATFORM, 1n), use(0, ann, 3n)]), 4n)).toEqual({
      ann: 3n,
      [PLATFORM]: 1n,
    });
  });

  it('do not change with use outside the lease or of nothing', () => {
    const uses = [use(1, ann, 3n), use(2, bob, 4n)];
    expect(sharedPoolWeights([lease(0, 3)], [...uses, use(5, bob, 100n), use(0, bob, 0n)])).toEqual(
      sharedPoolWeights([lease(0, 3)], uses),
    );
  });

  it('are all allocated, each to the share of its hour, whatever the order of facts', () => {
    const uses = fc.array(
      fc.record({
        hour: fc.nat(30).map(hour),
        bearer: fc.constantFrom<Bearer>(ann, bob, PLATFORM),
        recipients: fc.bigInt({ min: 1n, max: 100_000n }),
      }),
      { maxLength: 60 },
    );
    const leases = fc.array(
      fc.tuple(fc.nat(15), fc.integer({ min: 1, max: 15 })).map(([from, hours]) => lease(from, from + hours)),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(
        leases,
        uses.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        (leased, [list, shuffled]) => {
          const weights = sharedPoolWeights(leased, list);
          const leasedMs = leased.reduce((sum, one) => sum + BigInt(one.to.getTime() - one.from.getTime()), 0n);
          const whole = [...weights.values()].reduce((sum, weight) => sum + weight, 0n);
          // The weights have one denominator: together they are the leased time.
          expect(whole % leasedMs).toBe(0n);
          const factor = whole / leasedMs;
          for (const bearer of [ann, bob, PLATFORM] as Bearer[]) {
            let numerator = 0n; // by hour, over the product of the hours' totals
            let denominator = 1n;
            for (let index = 0; index < 31; index += 1) {
              const there = list.filter((one) => one.hour.getTime() === hour(index).getTime());
              const total = there.reduce((sum, one) => sum + one.recipients, 0n);
              const own = there.filter((one) => one.bearer === bearer).reduce((sum, one) => sum + one.recipients, 0n);
              const ips = leased.filter((one) => one.from <= hour(index) && one.to > hour(index)).length;
              if (total === 0n) continue;
              numerator = numerator * total + BigInt(ips * HOUR) * own * denominator;
              denominator *= total;
            }
            expect((weights.get(bearer) ?? 0n) * denominator).toBe(numerator * factor);
          }
          expect(new Map([...sharedPoolWeights([...leased].reverse(), shuffled)].sort())).toEqual(
            new Map([...weights].sort()),
          );
        },
      ),
      { numRuns: 50 },
    );
  });
});
