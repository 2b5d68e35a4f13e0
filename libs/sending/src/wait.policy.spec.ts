import fc from 'fast-check';
import { forecast, type ForecastFacts } from './limits-forecast.policy';
import { explainWait, type Circumstances, type Waiting } from './wait.policy';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const DAY = 86_400_000;

const message = (over: Partial<Waiting> = {}): Waiting => ({
  state: 'READY',
  mode: 'LIVE',
  stream: 'TRANSACTIONAL',
  recipients: 1,
  scheduledAtMs: null,
  notBeforeMs: null,
  aheadMessages: 0,
  aheadRecipients: 0,
  ...over,
});
const facts = (over: Partial<Circumstances> = {}): Circumstances => ({
  tenantPaused: false,
  pausedReason: null,
  domainReady: true,
  accountSending: true,
  planDayCap: null,
  planUsed: 0n,
  planNextFreeMs: null,
  planRate: null,
  accountQuota: 50_000n,
  accountUsed: 0n,
  accountRate: 14,
  frozenUntilMs: 0,
  tenantsWaiting: 1,
  ...over,
});

describe('what holds a message', () => {
  const behind = { aheadMessages: 1_400, aheadRecipients: 1_399 };
  it.each<[string, Partial<Waiting>, Partial<Circumstances>, number | null]>([
    ['NONE', {}, {}, 72],
    ['NONE', { state: 'INTENT' }, {}, 0],
    ['NONE', { state: 'IN_DOUBT' }, {}, null],
    ['PAUSED', {}, { tenantPaused: true, pausedReason: 'unpaid' }, null],
    ['PAUSED', {}, { accountSending: false }, null],
    ['SCHEDULED_FOR_LATER', { state: 'SCHEDULED', scheduledAtMs: NOW + 5_000 }, {}, 5_000],
    ['DOMAIN_NOT_READY', {}, { domainReady: false }, null],
    ['PLAN_QUOTA', {}, { planDayCap: 100n, planUsed: 100n, planNextFreeMs: NOW + 60_000 }, 60_000],
    ['ACCOUNT_DAY_QUOTA', {}, { accountUsed: 50_000n }, DAY],
    ['ACCOUNT_DAY_QUOTA', {}, { frozenUntilMs: NOW + 120_000 }, 120_000],
    ['ACCOUNT_RATE', behind, {}, 100_000],
    ['FAIR_SHARE', behind, { tenantsWaiting: 2 }, 200_000],
    ['PLAN_RATE', behind, { planRate: 1 }, 1_400_000],
  ])('is %s for %j with %j', (limit, over, circumstances, afterMs) => {
    const wait = explainWait(message(over), facts(circumstances), NOW);
    expect(wait?.limit).toBe(limit);
    expect(wait?.estimatedSendAt?.getTime() ?? null).toBe(afterMs === null ? null : NOW + afterMs);
    expect(wait?.explanation).toMatch(/^[A-Z].*\.$/);
  });

  it.each(['SENT', 'REJECTED', 'EXPIRED', 'CANCELED', 'SUPPRESSED'] as const)('is nothing once it is %s', (state) => {
    expect(explainWait(message({ state }), facts(), NOW)).toBeNull();
  });
});

describe('a forecast', () => {
  const ask = (over: Partial<ForecastFacts> = {}): ForecastFacts => ({
    recipients: 1_400n,
    startMs: NOW,
    nowMs: NOW,
    waiting: 0n,
    planDayCap: null,
    planUsed: 0n,
    planRate: null,
    accountQuota: 50_000n,
    accountUsed: 0n,
    accountRate: 14,
    paused: false,
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

  it('goes on in the next window when the day is full', () => {
    const full = forecast(ask({ planDayCap: 1_000n, planUsed: 600n }));
    expect(full.bindingLimit).toBe('PLAN_QUOTA');
    expect(full.lastAt.getTime()).toBe(NOW + DAY + 71_429);
    expect(forecast(ask({ accountQuota: 1_000n })).bindingLimit).toBe('ACCOUNT_DAY_QUOTA');
  });

  it('puts what waits already first', () => {
    expect(forecast(ask({ waiting: 1_400n })).firstAt.getTime()).toBe(NOW + 100_072);
  });

  it('never ends before it starts, and never gets shorter for more mail', () => {
    const n = fc.bigInt({ min: 1n, max: 1_000_000n });
    fc.assert(
      fc.property(n, n, fc.option(n), n, fc.bigInt({ min: -1n, max: 100_000n }), (a, more, cap, used, quota) => {
        const base = { planDayCap: cap, planUsed: used, accountQuota: quota, accountUsed: used };
        const small = forecast(ask({ recipients: a, ...base }));
        const large = forecast(ask({ recipients: a + more, ...base }));
        expect(small.lastAt.getTime()).toBeGreaterThanOrEqual(small.firstAt.getTime());
        expect(large.lastAt.getTime()).toBeGreaterThanOrEqual(small.lastAt.getTime());
      }),
    );
  });
});
