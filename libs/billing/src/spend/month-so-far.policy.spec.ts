import type { PlanId } from '@libs/kernel';
import type { PlanPrice } from '@libs/plans';
import fc from 'fast-check';
import { parsePeriod } from '../billing-period.policy';
import { daysOfSegments, type PriceSegment } from '../price/price-segments.policy';
import { charged, projected, segmentsSoFar, type DayUsage } from './month-so-far.policy';

const month = parsePeriod('2026-11');
const at = (day: string) => new Date(`2026-11-${day}T00:00:00.000Z`);
const DAY = 86_400_000n;
const price = (id: bigint, over: Partial<PlanPrice> = {}): PlanPrice => ({
  id,
  planId: 'growth' as PlanId,
  validFrom: at('01'),
  validTo: null,
  source: 'test',
  baseFeeMicro: 30_000_000n,
  includedRecipients: 1_000n,
  overage: [{ from: 0n, amountMicro: 1_000n, perUnits: 1n }],
  dedicatedIpFeeMicro: 60_000_000n,
  minimumMicro: 0n,
  monotone: true,
  ...over,
});
const whole: PriceSegment = { planName: 'Growth', price: price(1n), from: month.start, to: month.end };
const halves: readonly PriceSegment[] = [
  { ...whole, to: at('16') },
  { ...whole, price: price(2n), from: at('16') },
];
const day = (name: string, recipients: bigint, ipMs = 0n): DayUsage => ({ day: `2026-11-${name}`, recipients, ipMs });
const soFar = (segments: readonly PriceSegment[], live: readonly DayUsage[], counted = 0n) =>
  segmentsSoFar(
    segments,
    daysOfSegments(segments),
    segments.map(() => ({ recipients: counted, ipMs: 0n })),
    live,
  );

describe('the month so far', () => {
  it('is what is counted and what is not yet, each day under the price it is billed with', () => {
    const segments = soFar(halves, [day('02', 5n, 7n), day('15', 1n), day('16', 20n), day('30', 3n)], 100n);
    expect(segments.map(({ recipients, ipMs, priceId }) => [priceId, recipients, ipMs])).toEqual([
      ['1', 106n, 7n],
      ['2', 123n, 0n],
    ]);
  });

  it('has the fee and the inclusion of the whole month from its first moment on', () => {
    expect(charged(month, soFar([whole], [])).totalMicro).toBe(30_000_000n);
    expect(charged(month, soFar([whole], [day('02', 1_000n)])).totalMicro).toBe(30_000_000n);
    expect(charged(month, soFar([whole], [day('02', 1_007n)])).totalMicro).toBe(30_007_000n);
  });
});

describe('the month by its end', () => {
  it('goes on at the pace of the days that have passed, with the IPs of now', () => {
    const [end] = projected(month, soFar([whole], [day('03', 5_000n, 2n)]), 3n, at('11'));
    expect([end?.recipients, end?.ipMs]).toEqual([15_000n, 2n + 3n * 20n * DAY]);
  });

  it('begins when the tenant came', () => {
    const joined = [{ ...whole, from: at('21') }];
    expect(projected(month, soFar(joined, [day('22', 50n)]), 0n, at('26'))[0]?.recipients).toBe(100n);
  });

  it('puts what is to come under the prices it will have', () => {
    const ends = projected(month, soFar(halves, [day('03', 100n)]), 1n, at('11'));
    expect(ends.map(({ recipients, ipMs }) => [recipients, ipMs])).toEqual([
      [150n, 5n * DAY],
      [150n, 15n * DAY],
    ]);
  });

  it('is the month so far once it is over, and never less where nothing was taken back', () => {
    const usage = fc.array(
      fc.tuple(
        fc.integer({ min: 1, max: 30 }),
        fc.bigInt({ min: 0n, max: 10n ** 9n }),
        fc.bigInt({ min: 0n, max: DAY }),
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(
        usage,
        fc.boolean(),
        fc.bigInt({ min: 0n, max: 5n }),
        fc.integer({ min: 0, max: 30 }),
        (days, cut, ips, passed) => {
          const live = days.map(([name, recipients, ipMs]) => day(String(name).padStart(2, '0'), recipients, ipMs));
          const now = soFar(cut ? halves : [whole], live);
          expect(projected(month, now, ips, month.end)).toEqual(now);
          const later = new Date(month.start.getTime() + passed * Number(DAY));
          expect(charged(month, projected(month, now, ips, later)).totalMicro).toBeGreaterThanOrEqual(
            charged(month, now).totalMicro,
          );
        },
      ),
    );
  });
});
