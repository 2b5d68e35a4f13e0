import fc from 'fast-check';
import { divideCap, divideRate } from './lease.policy';

const demands = fc.array(fc.record({ used: fc.nat(100_000), waiting: fc.nat(100_000), next: fc.nat(50) }), {
  minLength: 1,
  maxLength: 8,
});
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

describe('a cap that is divided over several accounts', () => {
  it('is given out to the last recipient, never beyond, and never below what was used', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), demands, (cap, accounts) => {
        const parts = divideCap(cap, accounts);
        expect(sum(parts)).toBe(Math.max(cap, sum(accounts.map(({ used }) => used))));
        parts.forEach((part, i) => {
          expect(part).toBeGreaterThanOrEqual(accounts[i]!.used);
        });
      }),
    );
  });

  it('follows the mail that waits', () => {
    expect(
      divideCap(1_000, [
        { used: 100, waiting: 599, next: 0 },
        { used: 0, waiting: 299, next: 0 },
      ]),
    ).toEqual([700, 300]);
  });

  it('has room for the next message wherever the cap has, and for one at least as long as any fits', () => {
    fc.assert(
      fc.property(fc.nat(400), demands, (spare, accounts) => {
        const parts = divideCap(sum(accounts.map(({ used }) => used)) + spare, accounts);
        const waiting = accounts
          .map((one, i) => ({ ...one, room: parts[i]! - one.used }))
          .filter(({ next }) => next > 0);
        const served = waiting.filter(({ next, room }) => room >= next);
        if (sum(waiting.map(({ next }) => next)) <= spare) expect(served).toEqual(waiting);
        if (waiting.some(({ next }) => next <= spare)) expect(served).not.toEqual([]);
      }),
    );
  });

  it('lets who has used least go first where not every next message fits', () => {
    const of = (used: number) => ({ used, waiting: 1_000, next: 50 });
    expect(divideCap(160, [of(50), of(0), of(50)])).toEqual([54, 53, 53]);
  });

  it('lets an account begin that mail was only just routed to', () => {
    const [, fresh] = divideCap(10_000, [
      { used: 0, waiting: 999, next: 1 },
      { used: 0, waiting: 0, next: 0 },
    ]);
    expect(fresh).toBeGreaterThan(0);
  });

  it('divides a rate without a rest', () => {
    const parts = divideRate({ num: 10, den: 1 }, [
      { used: 0, waiting: 3, next: 1 },
      { used: 0, waiting: 0, next: 0 },
    ]);
    expect(sum(parts.map(({ num, den }) => num / den))).toBeCloseTo(10, 10);
  });
});
