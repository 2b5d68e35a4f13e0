import fc from 'fast-check';
import { planIssues, type NewPlan } from './new-plan.policy';

const tiers = [{ code: 'free' }, { code: 'premium' }];

const valid: NewPlan = {
  code: 'premium-50k',
  name: 'Premium 50k',
  tier: 'premium',
  streams: ['TRANSACTIONAL', 'MARKETING'],
  weight: 10,
  recipientsPerDay: 50_000n,
  recipientsPerSecond: '14.5',
  dedicatedIps: true,
  baseFeeMicro: 49_000_000n,
};

describe('a new plan', () => {
  it('is accepted when every field is right', () => {
    expect(planIssues(valid, tiers)).toEqual([]);
  });

  it('may say how long it keeps what, and what becomes of mail in doubt', () => {
    const said = { bodyRetentionDays: 400, metadataRetentionDays: 400, transactionalInDoubt: 'AT_MOST_ONCE' };
    expect(planIssues({ ...valid, ...said }, tiers)).toEqual([]);
  });

  it('may leave both limits to the accounts and charge nothing', () => {
    expect(
      planIssues({ ...valid, recipientsPerDay: null, recipientsPerSecond: null, baseFeeMicro: 0n }, tiers),
    ).toEqual([]);
  });

  it.each<[string, Partial<NewPlan>, string[]]>([
    ['an upper-case code', { code: 'Premium' }, ['code']],
    ['an empty code', { code: '' }, ['code']],
    ['a code of 49 characters', { code: 'a'.repeat(49) }, ['code']],
    ['a blank name', { name: '  ' }, ['name']],
    ['a name with a line break', { name: 'a\r\nBcc: b' }, ['name']],
    ['a name of 121 characters', { name: 'x'.repeat(121) }, ['name']],
    ['a tier that does not exist', { tier: 'platinum' }, ['tier']],
    ['no stream', { streams: [] }, ['streams']],
    ['content kept for no day', { bodyRetentionDays: 0 }, ['bodyRetentionDays']],
    ['content kept for half a day', { bodyRetentionDays: 1.5 }, ['bodyRetentionDays']],
    ['content kept for 401 days', { bodyRetentionDays: 401, metadataRetentionDays: 800 }, ['bodyRetentionDays']],
    ['the rest kept for two days', { bodyRetentionDays: 1, metadataRetentionDays: 2 }, ['metadataRetentionDays']],
    ['the rest kept for 801 days', { metadataRetentionDays: 801 }, ['metadataRetentionDays']],
    ['content kept longer than the rest', { bodyRetentionDays: 91 }, ['bodyRetentionDays']],
    ['an unknown policy for doubt', { marketingInDoubt: 'EXACTLY_ONCE' }, ['marketingInDoubt']],
    ['an unknown stream', { streams: ['TRANSACTIONAL', 'SMS'] }, ['streams', '1']],
    ['a stream twice', { streams: ['MARKETING', 'MARKETING'] }, ['streams', '1']],
    ['weight 0', { weight: 0 }, ['weight']],
    ['weight 1001', { weight: 1001 }, ['weight']],
    ['half a weight', { weight: 1.5 }, ['weight']],
    ['a daily limit of 0', { recipientsPerDay: 0n }, ['recipientsPerDay']],
    ['a daily limit beyond 64 bits', { recipientsPerDay: 2n ** 63n }, ['recipientsPerDay']],
    ['a rate of 0', { recipientsPerSecond: '0.000' }, ['recipientsPerSecond']],
    ['a negative rate', { recipientsPerSecond: '-1' }, ['recipientsPerSecond']],
    ['a rate with four decimals', { recipientsPerSecond: '1.2345' }, ['recipientsPerSecond']],
    ['a rate that is no decimal', { recipientsPerSecond: '1e3' }, ['recipientsPerSecond']],
    ['a negative fee', { baseFeeMicro: -1n }, ['baseFeeMicro']],
  ])('is refused with %s, naming the field', (_, change, path) => {
    const issues = planIssues({ ...valid, ...change }, tiers);
    expect(issues).toEqual([expect.objectContaining({ code: 'INVALID_INPUT', path })]);
  });

  it('names the tiers that exist when the wanted one does not', () => {
    expect(planIssues({ ...valid, tier: 'platinum' }, tiers)[0]?.message).toContain('free, premium');
  });

  it('reports every wrong field at once', () => {
    const issues = planIssues({ ...valid, code: '1', name: '', tier: 'x', streams: [], weight: 0 }, tiers);
    expect(issues.map((issue) => issue.path?.[0])).toEqual(['code', 'name', 'tier', 'streams', 'weight']);
  });

  it('accepts every rate that the column holds and no other text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), fc.integer({ min: 0, max: 999 }), (whole, milli) => {
        const rate = `${whole}.${String(milli).padStart(3, '0')}`;
        expect(planIssues({ ...valid, recipientsPerSecond: rate }, tiers)).toEqual([]);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^\d{1,9}(\.\d{1,3})?$/.test(text));
        expect(planIssues({ ...valid, recipientsPerSecond: text }, tiers)).toHaveLength(1);
      }),
    );
  });
});
