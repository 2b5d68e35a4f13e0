import fc from 'fast-check';
import { othersOf } from './fair-share.policy';
import { capacityOf, forecast, type Capacity, type ForecastFacts, type Share } from './limits-forecast.policy';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const DAY = 86_400_000;

/** Of whom more waits than is known. */
const unknown = (weight: number) => ({ weight, waiting: Number.POSITIVE_INFINITY });
const never = Number.POSITIVE_INFINITY;
const ms = (time: Date | null) => time?.getTime() ?? never;

describe('a forecast', () => {
  const capacity = (over: Partial<Capacity>): Capacity => ({
    quota: 50_000n,
    used: 0n,
    dayLimit: 'ACCOUNT_DAY_QUOTA',
    rate: 14,
    hour: null,
    ...over,
  });
  const ask = (over: Partial<ForecastFacts> = {}): ForecastFacts => ({
    recipients: 1_400n,
    startMs: NOW,
    nowMs: NOW,
    waiting: 0n,
    dayCaps: [],
    dayLimit: 'PLAN_QUOTA',
    tenantUsed: 0n,
    planRate: null,
    capacity: capacity({}),
    weight: 1,
    others: [],
    paused: false,
    allOpenMs: 0,
    heldBy: null,
    ...over,
  });

  it('is bound by the rate while the day has room', () => {
    expect(forecast(ask())).toEqual({
      firstAt: new Date(NOW + 72),
      lastAt: new Date(NOW + 100_000),
      bindingLimit: 'ACCOUNT_RATE',
    });
    expect(forecast(ask({ planRate: 7 })).bindingLimit).toBe('PLAN_RATE');
    expect(forecast(ask({ recipients: 1n })).bindingLimit).toBe('NONE');
  });

  it('shares the rate with those who wait at its start, by weight and for as long as they have mail', () => {
    const last = (over: Partial<ForecastFacts>) => ms(forecast(ask(over)).lastAt) - NOW;
    expect(last({ others: [unknown(1)] })).toBe(200_000);
    expect(last({ others: [unknown(3)], weight: 2 })).toBe(250_000);
    expect(last({ others: othersOf([{ weight: 1, messages: 28 }]) })).toBe(102_000);
    expect(last({ others: othersOf([{ weight: 1, messages: 100 }]) })).toBe(200_000);
    expect(last({ others: othersOf([{ weight: 1, messages: 0 }]) })).toBe(100_000);
    expect(forecast(ask({ others: [unknown(1)] })).bindingLimit).toBe('FAIR_SHARE');
    expect(forecast(ask({ others: [unknown(1)], planRate: 5 })).bindingLimit).toBe('PLAN_RATE');
    expect(forecast(ask({ others: othersOf([{ weight: 1, messages: 28 }]) })).bindingLimit).toBe('ACCOUNT_RATE');
  });

  it('shares what is left of a day with them, too', () => {
    const left = capacity({ used: 48_000n });
    const found = (over: Partial<ForecastFacts>) => forecast(ask({ capacity: left, ...over }));
    expect(found({ others: [unknown(1)] })).toMatchObject({
      lastAt: new Date(NOW + DAY + 57_143),
      bindingLimit: 'ACCOUNT_DAY_QUOTA',
    });
    expect(found({ others: [unknown(1)], recipients: 1_000n }).bindingLimit).toBe('FAIR_SHARE');
    expect(found({ others: othersOf([{ weight: 1, messages: 28 }]) }).bindingLimit).toBe('ACCOUNT_RATE');
  });

  it('goes on in the next window when the day is full', () => {
    const full = forecast(ask({ dayCaps: [1_000n], tenantUsed: 600n }));
    expect(full.bindingLimit).toBe('PLAN_QUOTA');
    expect(ms(full.lastAt)).toBe(NOW + DAY + 71_429);
    expect(forecast(ask({ capacity: capacity({ quota: 1_000n }) })).bindingLimit).toBe('ACCOUNT_DAY_QUOTA');
  });

  it('is bound by a pool that is warmed up, hour by hour and day by day', () => {
    const warming = capacity({ quota: 400n, used: 100n, dayLimit: 'POOL_WARMUP', hour: { cap: 50, used: 40 } });
    const outlook = (recipients: bigint) => forecast(ask({ recipients, capacity: warming }));
    expect(outlook(10n)).toMatchObject({ lastAt: new Date(NOW + 715), bindingLimit: 'NONE' });
    expect(outlook(11n)).toMatchObject({ lastAt: new Date(NOW + 3_600_000), bindingLimit: 'POOL_WARMUP' });
    expect(outlook(111n)).toMatchObject({ lastAt: new Date(NOW + 3 * 3_600_000), bindingLimit: 'POOL_WARMUP' });
    expect(outlook(301n)).toMatchObject({ lastAt: new Date(NOW + DAY + 72), bindingLimit: 'POOL_WARMUP' });
  });

  it('follows a ramp that grows while it is used', () => {
    const ramp = { dayCaps: [1_000n, 3_000n, 9_000n], dayLimit: 'RAMP' } as const;
    const day = (recipients: bigint) => Math.floor((ms(forecast(ask({ recipients, ...ramp })).lastAt) - NOW) / DAY);
    expect([1_000n, 1_001n, 4_000n, 4_001n, 13_000n, 13_001n, 22_001n].map(day)).toEqual([0, 1, 1, 2, 2, 3, 4]);
    expect(forecast(ask({ recipients: 1_001n, ...ramp })).bindingLimit).toBe('RAMP');
  });

  it('counts on all accounts of a stream that is split, each for its share', () => {
    const share = (weight: number, quota: bigint, used: bigint, rate: number, warmUp: Share['warmUp'] = null) => ({
      ...{ weight, quota, used, rate, warmUp },
    });
    expect(capacityOf([share(750, 3_000n, 0n, 30), share(250, 1_000n, 500n, 20)])).toEqual(
      capacity({ quota: 4_000n, used: 2_000n, rate: 40 }),
    );
    expect(capacityOf([share(500, -1n, 9n, 1), share(500, 100n, 0n, 9)])).toEqual(capacity({ quota: 200n, rate: 2 }));
    const warm = { dayCap: 400, usedDay: 100, hourCap: 50, usedHour: 40 };
    expect(capacityOf([share(500, -1n, 9n, 1, warm), share(500, 9_000n, 0n, 9)])).toEqual(
      capacity({ quota: 800n, used: 200n, dayLimit: 'POOL_WARMUP', rate: 2, hour: { cap: 100, used: 80 } }),
    );
    expect(capacityOf([share(0, 5n, 0n, 1)])).toBeUndefined();
  });

  it('is bound by a rate that cannot send in a day what the day has room for', () => {
    const slow = forecast(ask({ recipients: 1_000_000n, planRate: 0.5 }));
    expect(slow).toMatchObject({ lastAt: new Date(NOW + 2_000_000_000), bindingLimit: 'PLAN_RATE' });
    const room = capacity({ quota: 2_000_000n, used: 1_900_000n, rate: 10 });
    const full = forecast(ask({ recipients: 200_000n, capacity: room }));
    expect(full).toMatchObject({ lastAt: new Date(NOW + DAY + 10_000_000), bindingLimit: 'ACCOUNT_DAY_QUOTA' });
    const vast = forecast(ask({ recipients: 5_000_000n, capacity: room }));
    expect(vast.lastAt).toEqual(new Date(NOW + DAY + 490_000_000));
  });

  it('puts what waits already first', () => {
    expect(ms(forecast(ask({ waiting: 1_400n })).firstAt)).toBe(NOW + 100_072);
  });

  it.each([
    { recipients: 1_000_000_000n, dayCaps: [1n] },
    { recipients: 1_000_000_000n, planRate: 0.001 },
    { startMs: Date.parse('9999-12-31T23:59:59Z'), recipients: 1_000_000n },
  ])('is never later than a time can be written: %j', (over) => {
    expect(forecast(ask(over)).lastAt?.toISOString()).toBe('9999-12-31T23:59:59.999Z');
  });

  it.each<[string, Partial<ForecastFacts>, number, number]>([
    ['PAUSED', { paused: true, heldBy: 'SPEND_CAP' }, never, never],
    ['ACCOUNT_DAY_QUOTA', { capacity: capacity({ quota: 0n }) }, never, never],
    ['PLAN_QUOTA', { dayCaps: [0n] }, never, never],
    ['POOL_WARMUP', { capacity: capacity({ hour: { cap: 0, used: 0 } }) }, never, never],
    ['POOL_WARMUP', { capacity: capacity({ quota: 0n, dayLimit: 'POOL_WARMUP' }) }, never, never],
    ['SPEND_CAP', { startMs: NOW + DAY, heldBy: 'SPEND_CAP' }, DAY + 72, DAY + 100_000],
    ['PAUSED', { startMs: NOW + 30_000, heldBy: 'PAUSED' }, 30_072, 130_000],
  ])('is %s for %j, and names no time that nobody can tell', (limit, over, firstMs, lastMs) => {
    const { firstAt, lastAt, bindingLimit } = forecast(ask(over));
    expect([bindingLimit, ms(firstAt) - NOW, ms(lastAt) - NOW]).toEqual([limit, firstMs, lastMs]);
  });

  it('never ends before it starts, and never gets shorter for more mail', () => {
    const n = fc.bigInt({ min: 1n, max: 1_000_000n });
    fc.assert(
      fc.property(
        n,
        n,
        fc.option(n),
        n,
        fc.bigInt({ min: -1n, max: 100_000n }),
        fc.constantFrom(0.001, 0.2, 14),
        fc.option(fc.record({ cap: fc.constantFrom(1, 63, 5_000), used: fc.nat(9_000) })),
        (a, more, cap, used, quota, rate, hour) => {
          const base = {
            dayCaps: cap === null ? [] : [cap, cap * 3n],
            tenantUsed: used,
            capacity: capacity({ quota, used, rate, hour }),
          };
          const small = forecast(ask({ recipients: a, ...base }));
          const large = forecast(ask({ recipients: a + more, ...base }));
          expect(ms(small.lastAt)).toBeGreaterThanOrEqual(ms(small.firstAt));
          expect(ms(large.lastAt)).toBeGreaterThanOrEqual(ms(small.lastAt));
        },
      ),
    );
  });
});
