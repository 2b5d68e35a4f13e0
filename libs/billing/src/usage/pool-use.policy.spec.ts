import type { LaneId, SendingAccountId, TenantId } from '@libs/kernel';
import fc from 'fast-check';
import { PLATFORM, type Bearer } from '../cost/allocation.policy';
import type { Span } from '../billing-period.policy';
import { PARTS, poolHours, PoolUses, type PoolUse } from './pool-use.policy';
import { COUNTED, type UsageRow } from './usage';

const HOUR = 3_600_000;
const day = { from: new Date('2026-11-20T00:00:00Z'), to: new Date('2026-11-21T00:00:00Z') };
const [ann, bob] = ['ann', 'bob'] as unknown as [TenantId, TenantId];
const lane = 'lane' as unknown as LaneId;
const account = 'account' as unknown as SendingAccountId;
const row = (sku: UsageRow['sku'], hour: number, tenantId: TenantId | null, quantity: bigint): UsageRow => {
  const from = new Date(day.from.getTime() + hour * HOUR);
  return {
    span: { from, to: new Date(from.getTime() + HOUR) },
    tenantId,
    sendingAccountId: account,
    laneId: lane,
    sku,
    quantity,
  };
};
const leased = (hour: number, ms = BigInt(HOUR)) => row(COUNTED.dedicatedIp, hour, null, ms);
const used = (hour: number, tenantId: TenantId | null, recipients: bigint) =>
  row(COUNTED.poolRecipient, hour, tenantId, recipients);
const usesOf = (parts: readonly Span[], rows: readonly UsageRow[]) => new PoolUses(parts).add(poolHours(rows)).all();
const usedIn = (rows: readonly UsageRow[]) => new Map(usesOf([day], rows)[0]?.used);

describe('the hours of a shared pool', () => {
  it('are nobody’s when nobody sends', () => {
    expect(usedIn([leased(0), leased(1)])).toEqual(new Map());
  });

  it('are borne by those who sent in them, by recipients', () => {
    const hour = BigInt(HOUR) * PARTS;
    expect(usedIn([leased(1), leased(3), used(1, ann, 30n), used(1, bob, 10n), used(3, bob, 1n)])).toEqual(
      new Map<Bearer, bigint>([
        [ann, (hour * 3n) / 4n],
        [bob, hour / 4n + hour],
      ]),
    );
  });

  it('count as long as IPs were leased in them, and are the platform’s where it was extra attempts that used them', () => {
    expect(usedIn([leased(0, 300n), leased(0, 100n), used(0, null, 1n), used(0, ann, 3n)])).toEqual(
      new Map<Bearer, bigint>([
        [PLATFORM, 100n * PARTS],
        [ann, 300n * PARTS],
      ]),
    );
  });

  it('do not change with use outside the lease, on another day, or by IPs of an owner', () => {
    const other = { ...used(0, ann, 5n), span: { from: day.to, to: new Date(day.to.getTime() + HOUR) } };
    const owned = { ...leased(2), tenantId: bob };
    expect(usedIn([leased(0), used(0, bob, 1n), used(5, ann, 9n), other, owned])).toEqual(
      usedIn([leased(0), used(0, bob, 1n)]),
    );
  });

  it('are the same told an hour at a time as at once, each in the part of the month it belongs to', () => {
    const noon = new Date(day.from.getTime() + 12 * HOUR);
    const parts = [
      { from: day.from, to: noon },
      { from: noon, to: day.to },
    ];
    const rows = fc.array(
      fc
        .tuple(fc.nat(23), fc.constantFrom(ann, bob, null), fc.bigInt({ min: 1n, max: 100_000n }))
        .map(([hour, tenant, recipients]) => [leased(hour), used(hour, tenant, recipients)]),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, (pairs) => {
        const all = pairs.flat();
        const uses = new PoolUses(parts);
        for (let hour = 0; hour < 24; hour += 1) {
          uses.add(poolHours(all.filter((one) => one.span.from.getTime() === day.from.getTime() + hour * HOUR)));
        }
        const sorted = (some: readonly PoolUse[]) =>
          some.map((one) => ({ ...one, used: new Map([...one.used].sort()) }));
        expect(sorted(uses.all())).toEqual(sorted(parts.flatMap((part) => usesOf([part], all))));
      }),
    );
  });

  it('are given away to a billionth of a millisecond, whatever the order of facts', () => {
    const hours = fc.nat(23);
    const rows = fc.array(
      fc.oneof(
        fc.tuple(hours, fc.bigInt({ min: 1n, max: 3_600_000n })).map(([hour, ms]) => leased(hour, ms)),
        fc
          .tuple(hours, fc.constantFrom(ann, bob, null), fc.bigInt({ min: 1n, max: 100_000n }))
          .map(([hour, tenant, recipients]) => used(hour, tenant, recipients)),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(
        rows.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          const found = usedIn(list);
          expect(new Map([...usedIn(shuffled)].sort())).toEqual(new Map([...found].sort()));
          for (const [bearer, tenant] of [
            [ann, ann],
            [bob, bob],
            [PLATFORM, null],
          ] as const) {
            // The exact share, hour by hour, over the product of the hours' totals.
            let [numerator, denominator] = [0n, 1n];
            for (let hour = 0; hour < 24; hour += 1) {
              const there = list.filter((one) => one.span.from.getTime() === day.from.getTime() + hour * HOUR);
              const sum = (sku: string, of = there) =>
                of.filter((one) => one.sku === sku).reduce((total, one) => total + one.quantity, 0n);
              const total = sum(COUNTED.poolRecipient);
              if (total === 0n) continue;
              const own = sum(
                COUNTED.poolRecipient,
                there.filter((one) => one.tenantId === tenant),
              );
              numerator = numerator * total + sum(COUNTED.dedicatedIp) * PARTS * own * denominator;
              denominator *= total;
            }
            const off = (found.get(bearer) ?? 0n) * denominator - numerator;
            expect(off < 24n * denominator && -off < 24n * denominator).toBe(true);
          }
        },
      ),
    );
  });
});
