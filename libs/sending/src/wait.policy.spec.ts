import fc from 'fast-check';
import { othersOf } from './fair-share.policy';
import { capacityOf, forecast, type Capacity, type ForecastFacts, type Share } from './limits-forecast.policy';
import { explainWait, type Circumstances, type Waiting, type WarmUp } from './wait.policy';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const DAY = 86_400_000;

const message = (over: Partial<Waiting> = {}): Waiting => ({
  state: 'READY',
  mode: 'LIVE',
  stream: 'TRANSACTIONAL',
  recipients: 1,
  region: null,
  routeMissing: false,
  routePaused: false,
  routeHeldUntilMs: null,
  scheduledAtMs: null,
  notBeforeMs: null,
  expiresAtMs: NOW + 100 * DAY,
  aheadMessages: 0,
  aheadRecipients: 0,
  ...over,
});
const facts = (over: Partial<Circumstances> = {}): Circumstances => ({
  tenantPaused: false,
  pausedReason: null,
  heldUntilMs: null,
  domainReady: true,
  domainVerified: true,
  accountSending: true,
  dayCap: null,
  dayLimit: 'PLAN_QUOTA',
  laterCaps: [],
  tenantUsed: 0n,
  tenantNextFreeMs: null,
  planRate: null,
  accountQuota: 50_000n,
  accountUsed: 0n,
  accountRate: 14,
  accountRoomReturnsMs: null,
  warmUp: null,
  openElsewhere: false,
  frozenUntilMs: 0,
  rateFreeMs: 0,
  weight: 1,
  others: [],
  ...over,
});

/** A pool with caps of which nothing is used. */
const warming = (over: Partial<WarmUp>): WarmUp => ({
  dayCap: null,
  usedDay: 0,
  dayReturnsAtMs: NOW + DAY,
  hourCap: null,
  usedHour: 0,
  hourReturnsAtMs: NOW + 3_600_000,
  ...over,
});

/** Of whom more waits than is known. */
const unknown = (weight: number) => ({ weight, waiting: Number.POSITIVE_INFINITY });

describe('what holds a message', () => {
  const behind = { aheadMessages: 1_400, aheadRecipients: 1_399 };
  it.each<[string, Partial<Waiting>, Partial<Circumstances>, number | null]>([
    ['NONE', {}, {}, 72],
    ['NONE', { state: 'INTENT' }, {}, 0],
    ['NONE', { state: 'IN_DOUBT' }, {}, null],
    ['PAUSED', {}, { tenantPaused: true, pausedReason: 'unpaid' }, null],
    ['PAUSED', {}, { accountSending: false }, null],
    ['SPEND_CAP', {}, { heldUntilMs: NOW + DAY, domainReady: false }, DAY],
    ['NONE', {}, { heldUntilMs: NOW }, 72],
    ['SCHEDULED_FOR_LATER', { state: 'SCHEDULED', scheduledAtMs: NOW + 5_000 }, {}, 5_000],
    ['DOMAIN_NOT_READY', {}, { domainReady: false }, null],
    ['DOMAIN_NOT_READY', { routeMissing: true }, {}, null],
    ['PAUSED', { routePaused: true }, {}, null],
    ['DOMAIN_NOT_READY', {}, { domainVerified: false }, null],
    ['PAUSED', { routeHeldUntilMs: NOW + 30_000 }, {}, 30_000],
    ['NONE', { routeHeldUntilMs: NOW }, {}, 72],
    ['PLAN_QUOTA', {}, { dayCap: 100n, tenantUsed: 100n, tenantNextFreeMs: NOW + 60_000 }, 60_000],
    ['RAMP', {}, { dayCap: 100n, dayLimit: 'RAMP', tenantUsed: 100n, tenantNextFreeMs: NOW + 60_000 }, 60_000],
    ['PLAN_QUOTA', {}, { dayCap: 0n }, null],
    ['ACCOUNT_DAY_QUOTA', {}, { accountQuota: 0n }, null],
    ['ACCOUNT_DAY_QUOTA', {}, { accountQuota: 0n, frozenUntilMs: NOW + 120_000, accountRoomReturnsMs: NOW + 1 }, null],
    // A message goes whole, or not at all.
    ['PLAN_QUOTA', { recipients: 50 }, { dayCap: 49n }, null],
    ['PLAN_QUOTA', { recipients: 49 }, { dayCap: 49n, tenantUsed: 1n, tenantNextFreeMs: NOW + 60_000 }, 60_000],
    ['POOL_WARMUP', { recipients: 50 }, { warmUp: warming({ dayCap: 49, usedDay: 0 }) }, null],
    ['POOL_WARMUP', { recipients: 6 }, { warmUp: warming({ dayCap: 50, usedDay: 9, hourCap: 5, usedHour: 0 }) }, null],
    ['ACCOUNT_DAY_QUOTA', {}, { accountUsed: 50_000n, accountRoomReturnsMs: NOW + 90_000 }, 90_000],
    ['ACCOUNT_DAY_QUOTA', { region: 'eu' }, { accountUsed: 50_000n }, DAY],
    ['REGION', { region: 'eu' }, { accountUsed: 50_000n, openElsewhere: true }, DAY],
    ['REGION', { region: 'eu' }, { accountSending: false, openElsewhere: true }, null],
    ['POOL_WARMUP', {}, { warmUp: warming({ dayCap: 50, usedDay: 50 }) }, DAY],
    ['POOL_WARMUP', {}, { warmUp: warming({ dayCap: 50, usedDay: 9, hourCap: 5, usedHour: 5 }) }, 3_600_000],
    ['NONE', {}, { warmUp: warming({ dayCap: 50, usedDay: 9, hourCap: 5, usedHour: 4 }) }, 72],
    // Room returns when the oldest that went leave the window, however far that has come.
    ['POOL_WARMUP', {}, { warmUp: warming({ dayCap: 50, usedDay: 50, dayReturnsAtMs: NOW + 60_000 }) }, 60_000],
    ['POOL_WARMUP', {}, { warmUp: warming({ hourCap: 5, usedHour: 5, hourReturnsAtMs: NOW + 60_000 }) }, 60_000],
    [
      'POOL_WARMUP',
      { aheadRecipients: 5 },
      { warmUp: warming({ hourCap: 5, usedHour: 5, hourReturnsAtMs: NOW + 60_000 }) },
      3_660_000,
    ],
    // Both are full: the later one decides.
    [
      'POOL_WARMUP',
      {},
      { warmUp: warming({ dayCap: 9, usedDay: 9, dayReturnsAtMs: NOW + 60_000, hourCap: 5, usedHour: 5 }) },
      3_600_000,
    ],
    ['ACCOUNT_DAY_QUOTA', {}, { accountUsed: 50_000n }, DAY],
    ['ACCOUNT_DAY_QUOTA', {}, { frozenUntilMs: NOW + 120_000 }, 120_000],
    ['ACCOUNT_RATE', behind, {}, 100_000],
    ['FAIR_SHARE', behind, { others: [unknown(1)] }, 200_000],
    ['FAIR_SHARE', behind, { others: [unknown(1)], weight: 4 }, 125_000],
    // Who has little left is soon gone.
    ['FAIR_SHARE', behind, { others: [{ weight: 1, waiting: 280 }] }, 120_000],
    // Who hardly makes it longer is not the reason.
    ['ACCOUNT_RATE', behind, { others: [{ weight: 1, waiting: 14 }] }, 101_000],
    ['PLAN_RATE', behind, { others: [unknown(1)], planRate: 6 }, 233_334],
    // What was granted before goes first, all of its recipients.
    ['ACCOUNT_RATE', {}, { rateFreeMs: NOW + 50_000 }, 50_072],
    // What was tried and is to be tried again does not wait for a rate.
    ['PAUSED', { notBeforeMs: NOW + 60_000 }, {}, 60_072],
    ['ACCOUNT_RATE', { notBeforeMs: NOW + 10_000 }, { rateFreeMs: NOW + 50_000 }, 50_072],
    ['NONE', { notBeforeMs: NOW + 1_000 }, {}, 1_072],
    // It goes with its first recipient.
    ['NONE', { recipients: 50 }, {}, 72],
    ['PLAN_RATE', behind, { planRate: 1 }, 1_400_000],
  ])('is %s for %j with %j', (limit, over, circumstances, afterMs) => {
    const wait = explainWait(message(over), facts(circumstances), NOW);
    expect(wait?.limit).toBe(limit);
    expect(wait?.estimatedSendAt?.getTime() ?? null).toBe(afterMs === null ? null : NOW + afterMs);
    expect(wait?.explanation).toMatch(/^[A-Z].*\.$/);
  });

  it.each<[number, number, number, number | null, number]>([
    // limit, gone already, ahead of it, when the first of those gone is free again, when it goes
    [100, 0, 100, null, DAY],
    [100, 0, 199, null, DAY],
    [100, 0, 200, null, 2 * DAY],
    [100, 40, 60, 60_000, 60_000],
    [100, 40, 99, 60_000, 60_000],
    [100, 40, 100, 60_000, DAY],
    [100, 40, 160, 60_000, DAY + 60_000],
    [100, 100, 99, 60_000, 60_000],
    [100, 100, 100, 60_000, DAY + 60_000],
    // The limit was lowered below what is used.
    [100, 250, 99, 60_000, 60_000],
    [100, 250, 100, 60_000, DAY + 60_000],
  ])('of a day of %i with %i gone and %i ahead goes when there is room', (limit, gone, before, freeMs, afterMs) => {
    const waiting = message({ aheadMessages: before, aheadRecipients: before });
    const first = freeMs === null ? null : NOW + freeMs;
    for (const day of [
      { dayCap: BigInt(limit), tenantUsed: BigInt(gone), tenantNextFreeMs: first },
      { accountQuota: BigInt(limit), accountUsed: BigInt(gone), accountRoomReturnsMs: first },
    ]) {
      expect(explainWait(waiting, facts(day), NOW)?.estimatedSendAt?.getTime()).toBe(NOW + afterMs);
    }
  });

  it('promises no time where nothing is allowed, or not as much as the message', () => {
    const words = (over: Partial<Waiting>, circumstances: Partial<Circumstances>) =>
      explainWait(message(over), facts(circumstances), NOW)?.explanation;
    expect(words({}, { accountQuota: 0n, frozenUntilMs: NOW + DAY })).toBe(
      'Amazon SES allows no mail where yours leaves; no messages of yours are ahead. There is no room at all until the limit is raised; nothing is lost.',
    );
    expect(words({ recipients: 50 }, { dayCap: 49n })).toBe(
      'Your plan sends 49 recipients in 24 hours; 0 went and no messages of yours are ahead. It has more recipients than that, and goes once the limit is raised.',
    );
    const warmUp = warming({ dayCap: 50, hourCap: 5 });
    expect(words({ recipients: 6 }, { warmUp })).toMatch(
      /5 recipients an hour; .* It has more recipients than they take/,
    );
  });

  it.each([
    [0, 0],
    [74, 0],
    [75, 1],
    [299, 1],
    [300, 2],
    [525, 3],
  ])('on a ramp goes with %i ahead in the day that has grown so far', (before, days) => {
    const waiting = message({ aheadMessages: before, aheadRecipients: before });
    const ramp = { dayCap: 25n, dayLimit: 'RAMP', tenantUsed: 25n, tenantNextFreeMs: NOW + 60_000 } as const;
    const wait = explainWait(waiting, facts({ ...ramp, laterCaps: [75n, 225n] }), NOW);
    expect(wait).toMatchObject({ limit: 'RAMP', estimatedSendAt: new Date(NOW + 60_000 + days * DAY) });
  });

  it('says when it would expire before it goes', () => {
    const full = facts({ dayCap: 100n, tenantUsed: 100n, tenantNextFreeMs: NOW + 7_200_000 });
    const wait = explainWait(message({ expiresAtMs: NOW + 3_600_000 }), full, NOW);
    expect(wait?.estimatedSendAt).toEqual(new Date(NOW + 7_200_000));
    expect(wait?.explanation).toContain('It expires before that, at 2026-11-22 13:00 UTC');
    expect(explainWait(message({ expiresAtMs: NOW + 7_200_001 }), full, NOW)?.explanation).not.toContain('expires');
    const paused = explainWait(message({ expiresAtMs: NOW + 1 }), facts({ tenantPaused: true }), NOW);
    expect(paused?.explanation).not.toContain('expires');
  });

  it.each(['SENT', 'REJECTED', 'EXPIRED', 'CANCELED', 'SUPPRESSED'] as const)('is nothing once it is %s', (state) => {
    expect(explainWait(message({ state }), facts(), NOW)).toBeNull();
  });
});

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
    held: false,
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
    const last = (over: Partial<ForecastFacts>) => forecast(ask(over)).lastAt.getTime() - NOW;
    expect(last({ others: [unknown(1)] })).toBe(200_000);
    expect(last({ others: [unknown(3)], weight: 2 })).toBe(250_000);
    expect(last({ others: othersOf([{ weight: 1, messages: 28 }]) })).toBe(102_000);
    expect(last({ others: othersOf([{ weight: 1, messages: 100 }]) })).toBe(200_000);
    expect(last({ others: othersOf([{ weight: 1, messages: 0 }]) })).toBe(100_000);
    expect(forecast(ask({ others: [unknown(1)] })).bindingLimit).toBe('FAIR_SHARE');
    expect(forecast(ask({ others: [unknown(1)], planRate: 5 })).bindingLimit).toBe('PLAN_RATE');
    expect(forecast(ask({ others: othersOf([{ weight: 1, messages: 28 }]) })).bindingLimit).toBe('ACCOUNT_RATE');
  });

  it('goes on in the next window when the day is full', () => {
    const full = forecast(ask({ dayCaps: [1_000n], tenantUsed: 600n }));
    expect(full.bindingLimit).toBe('PLAN_QUOTA');
    expect(full.lastAt.getTime()).toBe(NOW + DAY + 71_429);
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
    const day = (recipients: bigint) =>
      Math.floor((forecast(ask({ recipients, ...ramp })).lastAt.getTime() - NOW) / DAY);
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
    expect(forecast(ask({ waiting: 1_400n })).firstAt.getTime()).toBe(NOW + 100_072);
  });

  it.each([
    { recipients: 1_000_000_000n, dayCaps: [1n] },
    { recipients: 1_000_000_000n, planRate: 0.001 },
    { startMs: Date.parse('9999-12-31T23:59:59Z'), recipients: 1_000_000n },
  ])('is never later than a time can be written: %j', (over) => {
    expect(forecast(ask(over)).lastAt.toISOString()).toBe('9999-12-31T23:59:59.999Z');
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
          expect(small.lastAt.getTime()).toBeGreaterThanOrEqual(small.firstAt.getTime());
          expect(large.lastAt.getTime()).toBeGreaterThanOrEqual(small.lastAt.getTime());
        },
      ),
    );
  });
});
