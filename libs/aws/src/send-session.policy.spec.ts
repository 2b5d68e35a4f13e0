import fc from 'fast-check';
import { MAX_SESSION_POLICY, sendSessionPolicy } from './send-session.policy';

const scope = {
  accountId: '111122223333',
  region: 'us-east-1',
  configurationSets: ['pf-0123456789abcdef-mk', 'pf-0123456789abcdef-tx'],
};
const manyDomains = (count: number) => Array.from({ length: count }, (_, i) => `tenant-${i}.example`);

interface Policy {
  Statement: [{ Action: string[]; Resource: string[]; Condition?: { StringLike: Record<string, string[]> } }];
}
const statementOf = (policy: string) => (JSON.parse(policy) as Policy).Statement[0];

describe('the session policy of a tenant', () => {
  it('names its identities, its configuration sets and its From domains', () => {
    expect(statementOf(sendSessionPolicy({ ...scope, domains: ['tenant.example'] }))).toEqual({
      Effect: 'Allow',
      Action: ['ses:SendEmail', 'ses:SendRawEmail'],
      Resource: [
        'arn:aws:ses:us-east-1:111122223333:identity/tenant.example',
        'arn:aws:ses:us-east-1:111122223333:configuration-set/pf-0123456789abcdef-mk',
        'arn:aws:ses:us-east-1:111122223333:configuration-set/pf-0123456789abcdef-tx',
      ],
      Condition: { StringLike: { 'ses:FromAddress': ['*@tenant.example', '*@*.tenant.example'] } },
    });
  });

  it('gives way in two steps when domains do not fit, and keeps the configuration sets always', () => {
    const some = statementOf(sendSessionPolicy({ ...scope, domains: manyDomains(25) }));
    expect(some.Condition).toBeUndefined();
    expect(some.Resource).toContain('arn:aws:ses:us-east-1:111122223333:identity/tenant-24.example');
    const many = statementOf(sendSessionPolicy({ ...scope, domains: manyDomains(200) }));
    expect(many.Resource).toEqual([
      'arn:aws:ses:us-east-1:111122223333:identity/*',
      'arn:aws:ses:us-east-1:111122223333:configuration-set/pf-0123456789abcdef-mk',
      'arn:aws:ses:us-east-1:111122223333:configuration-set/pf-0123456789abcdef-tx',
    ]);
  });

  it('never exceeds the limit and never grants another configuration set', () => {
    fc.assert(
      fc.property(fc.array(fc.domain(), { maxLength: 80 }), (domains) => {
        const policy = sendSessionPolicy({ ...scope, domains });
        expect(policy.length).toBeLessThanOrEqual(MAX_SESSION_POLICY);
        const sets = statementOf(policy).Resource.filter((arn) => arn.includes(':configuration-set/'));
        expect(sets).toHaveLength(2);
      }),
    );
  });

  it('is the same text whatever the order of the domains, so that the session is shared', () => {
    const there = sendSessionPolicy({ ...scope, domains: ['a.example', 'b.example'] });
    expect(sendSessionPolicy({ ...scope, domains: ['b.example', 'a.example'] })).toBe(there);
  });
});
