import fc from 'fast-check';
import { MAX_SESSION_POLICY, sendSessionPolicy } from './send-session.policy';

const scope = {
  accountId: '111122223333',
  region: 'us-east-1',
  configurationSets: ['pf-0123456789abcdef-mk', 'pf-0123456789abcdef-tx'],
};
const manyDomains = (count: number) => Array.from({ length: count }, (_, i) => `tenant-${i}.example`);

interface Statement {
  Effect: string;
  Action: string[];
  Resource: string[];
  Condition?: { StringLike: Record<string, string[]> };
}
const statementsOf = (policy: string) => (JSON.parse(policy) as { Statement: Statement[] }).Statement;
const ONE_BY_ONE = ['ses:SendEmail', 'ses:SendRawEmail'];
const SETS = scope.configurationSets.map((name) => `arn:aws:ses:us-east-1:111122223333:configuration-set/${name}`);
const identity = (name: string) => `arn:aws:ses:us-east-1:111122223333:identity/${name}`;

describe('the session policy of a tenant', () => {
  it('names its identities, its configuration sets and its From domains, which SendBulkEmail does not know', () => {
    const Resource = [identity('tenant.example'), ...SETS];
    expect(statementsOf(sendSessionPolicy({ ...scope, domains: ['tenant.example'] }))).toEqual([
      {
        Effect: 'Allow',
        Action: ONE_BY_ONE,
        Resource,
        Condition: { StringLike: { 'ses:FromAddress': ['*@tenant.example', '*@*.tenant.example'] } },
      },
      { Effect: 'Allow', Action: ['ses:SendBulkEmail'], Resource },
    ]);
  });

  it('gives way step by step when domains do not fit, and keeps the configuration sets always', () => {
    const few = statementsOf(sendSessionPolicy({ ...scope, domains: manyDomains(12) }));
    expect(few).toMatchObject([{ Action: ONE_BY_ONE, Condition: {} }]);
    const [some, ...noOther] = statementsOf(sendSessionPolicy({ ...scope, domains: manyDomains(25) }));
    expect(some?.Condition).toBeUndefined();
    expect(some?.Action).toEqual([...ONE_BY_ONE, 'ses:SendBulkEmail']);
    expect(some?.Resource).toContain(identity('tenant-24.example'));
    expect(noOther).toEqual([]);
    // Nothing but the identity guards SendBulkEmail: where all are named, it is not allowed.
    const many = statementsOf(sendSessionPolicy({ ...scope, domains: manyDomains(200) }));
    expect(many).toEqual([{ Effect: 'Allow', Action: ONE_BY_ONE, Resource: [identity('*'), ...SETS] }]);
  });

  it('never exceeds the limit and never grants another configuration set', () => {
    fc.assert(
      fc.property(fc.array(fc.domain(), { maxLength: 80 }), (domains) => {
        const policy = sendSessionPolicy({ ...scope, domains });
        expect(policy.length).toBeLessThanOrEqual(MAX_SESSION_POLICY);
        for (const { Resource } of statementsOf(policy)) {
          expect(Resource.filter((arn) => arn.includes(':configuration-set/'))).toEqual(SETS);
        }
      }),
    );
  });

  it('is the same text whatever the order of the domains, so that the session is shared', () => {
    const there = sendSessionPolicy({ ...scope, domains: ['a.example', 'b.example'] });
    expect(sendSessionPolicy({ ...scope, domains: ['b.example', 'a.example'] })).toBe(there);
  });
});
