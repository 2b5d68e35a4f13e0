import { newId, type LaneId, type MessageId, type SendingAccountId } from '@libs/kernel';
import { admit } from './accept-admission.policy';
import { chooseRoute, ownersOf, type Route, type Sender } from './accept-route.policy';
import { checkEmail } from './accept.policy';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const route = (over: Partial<Route> = {}): Route => ({
  stream: 'TRANSACTIONAL',
  sendingAccountId: 'a' as SendingAccountId,
  laneId: 'l' as LaneId,
  region: 'us-east-1',
  weight: 1_000,
  ...over,
});
const sender = (over: Partial<Sender> = {}): Sender => ({
  state: 'ACTIVE',
  pausedReason: null,
  planName: 'Growth',
  streams: ['TRANSACTIONAL'],
  limits: { weight: 1, dayCap: null, rate: null },
  inDoubt: { TRANSACTIONAL: 'AT_LEAST_ONCE', MARKETING: 'AT_LEAST_ONCE' },
  domains: [{ name: 'acme.com', ready: true }],
  routes: [route()],
  holds: [],
  ...over,
});
const choose = (over: { from?: string; stream?: string; region?: string }, who: Sender) => {
  const checked = checkEmail(
    {
      from: { email: over.from ?? 'hi@acme.com' },
      to: [{ email: 'ann@example.com' }],
      content: { inline: { subject: 's', text: 't' } },
      stream: over.stream ?? 'TRANSACTIONAL',
      region: over.region ?? null,
    },
    NOW,
  );
  if ('issues' in checked) throw new Error(JSON.stringify(checked.issues));
  const choice = chooseRoute(checked.draft, who, newId<MessageId>(), new Date(NOW));
  return 'issues' in choice
    ? choice.issues.map((issue) => `${issue.code} ${(issue.path ?? []).join('.')}`)
    : choice.route;
};

describe('the way of an entry', () => {
  it('is the placement of its stream, for a verified domain and those below it', () => {
    expect(choose({}, sender())).toEqual(route());
    expect(choose({ from: 'hi@news.acme.com' }, sender())).toEqual(route());
  });

  it('is one that serves the region asked for, whatever the weights', () => {
    const eu = route({ sendingAccountId: 'b' as SendingAccountId, region: 'eu-west-1', weight: 1 });
    const us = route({ weight: 999 });
    for (let i = 0; i < 20; i += 1) expect(choose({ region: 'eu' }, sender({ routes: [us, eu] }))).toEqual(eu);
    expect(choose({ region: 'us' }, sender({ routes: [us, eu] }))).toEqual(us);
  });

  it.each([
    ['a domain of nobody', { from: 'hi@other.com' }, {}, ['DOMAIN_NOT_VERIFIED from']],
    ['a domain that only ends alike', { from: 'hi@notacme.com' }, {}, ['DOMAIN_NOT_VERIFIED from']],
    ['a domain not verified yet', {}, { domains: [{ name: 'acme.com', ready: false }] }, ['DOMAIN_NOT_VERIFIED from']],
    ['a stream the plan lacks', { stream: 'MARKETING' }, {}, ['FORBIDDEN_BY_PLAN stream']],
    [
      'regions of none of several',
      { region: 'eu' },
      { routes: [route(), route({ region: 'us-west-2' })] },
      ['INVALID_INPUT region'],
    ],
    ['no placement', {}, { routes: [] }, ['NO_CAPACITY stream']],
    ['another region', { region: 'eu' }, {}, ['INVALID_INPUT region']],
    [
      'all of it',
      { from: 'hi@other.com', stream: 'MARKETING' },
      {},
      ['FORBIDDEN_BY_PLAN stream', 'DOMAIN_NOT_VERIFIED from'],
    ],
  ])('is closed: %s', (_what, over, who, expected) => {
    expect(choose(over, sender(who))).toEqual(expected);
  });

  it('is never a placement without weight', () => {
    const without = route({ sendingAccountId: 'b' as SendingAccountId, weight: 0 });
    for (let i = 0; i < 20; i += 1) expect(choose({}, sender({ routes: [without, route()] }))).toEqual(route());
    expect(choose({}, sender({ routes: [without] }))).toEqual(['NO_CAPACITY stream']);
  });

  it('asks for a domain and all its parents, never for a top level alone', () => {
    expect(ownersOf('a.news.acme.com')).toEqual(['a.news.acme.com', 'news.acme.com', 'acme.com']);
  });
});

describe('admission', () => {
  it('lets as many wait as the plan sends in the given days, and refuses the rest with a time', () => {
    const verdicts = admit({ waiting: 28n, dayCap: 10n, days: 3 }, [1, 5, 1, 1], NOW);
    expect(verdicts.map((verdict) => verdict?.code)).toEqual([
      undefined,
      'PLAN_QUOTA_EXCEEDED',
      undefined,
      'PLAN_QUOTA_EXCEEDED',
    ]);
    expect(verdicts[3]?.retryAt).toEqual(new Date(NOW + 8_640_000));
  });

  it('refuses what no day of the plan has room for, without a time: it would wait until it expires', () => {
    const verdicts = admit({ waiting: 0n, dayCap: 10n, days: 3 }, [11, 10], NOW);
    expect(verdicts[0]).toMatchObject({ code: 'PLAN_QUOTA_EXCEEDED', path: ['to'] });
    expect(verdicts[0]).not.toHaveProperty('retryAt');
    expect(verdicts[1]).toBeUndefined();
  });

  it('is free without a daily cap', () => {
    expect(admit({ waiting: 10n ** 12n, dayCap: null, days: 1 }, [50], NOW)).toEqual([undefined]);
  });
});
