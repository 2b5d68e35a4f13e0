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
    // What holds it beyond its time is told before that comes.
    ['SPEND_CAP', { state: 'SCHEDULED', scheduledAtMs: NOW + 5_000 }, { heldUntilMs: NOW + DAY }, DAY],
    ['SCHEDULED_FOR_LATER', { state: 'SCHEDULED', scheduledAtMs: NOW + 2 * DAY }, { heldUntilMs: NOW + DAY }, 2 * DAY],
    ['PAUSED', { state: 'SCHEDULED', scheduledAtMs: NOW + 5_000 }, { accountSending: false }, null],
    ['PAUSED', { state: 'SCHEDULED', scheduledAtMs: NOW + 5_000, routePaused: true }, {}, null],
    ['PLAN_QUOTA', { state: 'SCHEDULED', scheduledAtMs: NOW + 5_000, recipients: 50 }, { dayCap: 49n }, null],
    ['ACCOUNT_DAY_QUOTA', { state: 'SCHEDULED', scheduledAtMs: NOW + 5_000 }, { accountUsed: 50_000n }, DAY],
    ['SCHEDULED_FOR_LATER', { state: 'SCHEDULED', scheduledAtMs: NOW + 2 * DAY }, { accountUsed: 50_000n }, 2 * DAY],
    ['SCHEDULED_FOR_LATER', { state: 'SCHEDULED', scheduledAtMs: NOW + 5_000 }, { domainReady: false }, 5_000],
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
    // Of several that hold it the last one to fall, and before all one whose end nobody can tell.
    ['PAUSED', {}, { dayCap: 9n, tenantUsed: 9n, tenantNextFreeMs: NOW + 60_000, accountSending: false }, null],
    ['PAUSED', { routeHeldUntilMs: NOW + 30_000 }, { accountSending: false }, null],
    ['SPEND_CAP', {}, { heldUntilMs: NOW + DAY, accountSending: false }, DAY],
    [
      'ACCOUNT_DAY_QUOTA',
      {},
      { dayCap: 9n, tenantUsed: 9n, tenantNextFreeMs: NOW + 60_000, accountUsed: 50_000n },
      DAY,
    ],
    ['PLAN_QUOTA', {}, { dayCap: 9n, tenantUsed: 9n, accountUsed: 50_000n, accountRoomReturnsMs: NOW + 60_000 }, DAY],
    [
      'POOL_WARMUP',
      {},
      { warmUp: warming({ hourCap: 5, usedHour: 5 }), accountUsed: 50_000n, accountRoomReturnsMs: NOW + 60_000 },
      3_600_000,
    ],
    [
      'REGION',
      { region: 'eu' },
      { dayCap: 9n, tenantUsed: 9n, tenantNextFreeMs: NOW + 60_000, accountSending: false, openElsewhere: true },
      null,
    ],
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
    // Others have their part of what is left of the day, too.
    ['ACCOUNT_DAY_QUOTA', behind, { others: [unknown(1)], accountUsed: 48_000n }, DAY],
    ['FAIR_SHARE', behind, { others: [unknown(1)], accountUsed: 47_000n }, 200_000],
    ['FAIR_SHARE', behind, { others: [{ weight: 1, waiting: 280 }], accountUsed: 48_000n }, 120_000],
    // Who hardly makes it longer is not the reason.
    ['ACCOUNT_RATE', behind, { others: [{ weight: 1, waiting: 14 }] }, 101_000],
    ['PLAN_RATE', behind, { others: [unknown(1)], planRate: 6 }, 233_334],
    // What was granted before goes first, all of its recipients.
    ['ACCOUNT_RATE', {}, { rateFreeMs: NOW + 50_000 }, 50_072],
    // What was tried and is to be tried again does not wait for a rate.
    ['PAUSED', { notBeforeMs: NOW + 60_000 }, {}, 60_072],
    ['PAUSED', {}, { frozenUntilMs: NOW + 50_000 }, 50_072],
    ['PAUSED', { notBeforeMs: NOW + 2_000 }, { frozenUntilMs: NOW + 50_000 }, 50_072],
    ['NONE', {}, { frozenUntilMs: NOW + 1_000 }, 1_072],
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
