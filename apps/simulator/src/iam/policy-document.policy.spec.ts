import { evaluate, parsePolicy, type AccessRequest } from './policy-document.policy';

function decide(statement: object | object[], request: Partial<AccessRequest> = {}): string {
  const policy = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statement }));
  if (policy === undefined) return 'MALFORMED';
  return evaluate([policy], {
    action: 'ses:SendEmail',
    resource: 'arn:aws:ses:us-east-1:1:identity/a.example',
    context: {},
    ...request,
  });
}

describe('an IAM policy', () => {
  it.each([
    ['allows the action it names, in any case', { Effect: 'Allow', Action: 'SES:sendemail', Resource: '*' }, 'ALLOW'],
    ['denies what it does not name', { Effect: 'Allow', Action: 'ses:GetAccount', Resource: '*' }, 'IMPLICIT_DENY'],
    ['matches * and ? in actions', { Effect: 'Allow', Action: ['ses:Send?mail*'], Resource: '*' }, 'ALLOW'],
    ['matches * in resources', { Effect: 'Allow', Action: '*', Resource: 'arn:aws:ses:*:1:identity/*' }, 'ALLOW'],
    [
      'takes a dot in a resource literally',
      { Effect: 'Allow', Action: '*', Resource: 'arn:aws:ses:us-east-1:1:identity/a?examplx' },
      'IMPLICIT_DENY',
    ],
    ['excludes with NotAction', { Effect: 'Allow', NotAction: 'ses:*', Resource: '*' }, 'IMPLICIT_DENY'],
    [
      'excludes with NotResource',
      { Effect: 'Allow', Action: '*', NotResource: '*identity/a.example' },
      'IMPLICIT_DENY',
    ],
    ['is malformed without an action', { Effect: 'Allow', Resource: '*' }, 'MALFORMED'],
    ['is malformed with another effect', { Effect: 'Maybe', Action: '*', Resource: '*' }, 'MALFORMED'],
    [
      'is malformed with an unknown operator',
      { Effect: 'Allow', Action: '*', Resource: '*', Condition: { Sounds: { a: 'b' } } },
      'MALFORMED',
    ],
  ])('%s', (_what, statement, expected) => {
    expect(decide(statement)).toBe(expected);
  });

  it('lets one deny win over any allow', () => {
    const allow = { Effect: 'Allow', Action: '*', Resource: '*' };
    const deny = { Effect: 'Deny', Action: 'ses:SendEmail', Resource: '*' };
    expect([decide([allow, deny]), decide([deny, allow])]).toEqual(['EXPLICIT_DENY', 'EXPLICIT_DENY']);
  });

  const conditioned = (operator: string, value: string | string[]): object => ({
    Effect: 'Allow',
    Action: '*',
    Resource: '*',
    Condition: { [operator]: { 'ses:Recipients': value } },
  });
  it.each([
    ['StringEquals', 'a@x.example', ['a@x.example'], 'ALLOW'],
    ['StringEquals', 'A@x.example', ['a@x.example'], 'IMPLICIT_DENY'],
    ['StringEqualsIgnoreCase', 'A@x.example', ['a@x.example'], 'ALLOW'],
    ['StringLike', '*@x.example', ['a@x.example'], 'ALLOW'],
    ['StringLike', '*@x.example', ['a@y.example'], 'IMPLICIT_DENY'],
    ['StringLike', '*@x.example', undefined, 'IMPLICIT_DENY'],
    ['StringLikeIfExists', '*@x.example', undefined, 'ALLOW'],
    ['StringNotEquals', 'a@x.example', ['a@x.example'], 'IMPLICIT_DENY'],
    ['StringNotLike', '*@x.example', ['a@y.example'], 'ALLOW'],
    ['ForAllValues:StringLike', '*@x.example', ['a@x.example', 'b@y.example'], 'IMPLICIT_DENY'],
    ['ForAnyValue:StringLike', '*@x.example', ['a@x.example', 'b@y.example'], 'ALLOW'],
  ])('%s %s over %j decides %s', (operator, value, actual, expected) => {
    const context = actual === undefined ? {} : { 'ses:recipients': actual };
    expect(decide(conditioned(operator, value), { context })).toBe(expected);
  });

  it('trusts exactly the principals it names', () => {
    const trust = (principal: unknown): object => ({ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' });
    const ask = (principal: unknown): string =>
      decide(trust(principal), {
        action: 'sts:AssumeRole',
        resource: 'role',
        principals: { AWS: ['arn:aws:iam::1:role/sender', 'arn:aws:iam::1:root'] },
      });
    expect(ask({ AWS: 'arn:aws:iam::1:role/sender' })).toBe('ALLOW');
    expect(ask({ AWS: 'arn:aws:iam::1:root' })).toBe('ALLOW');
    expect(ask({ AWS: 'arn:aws:iam::1:role/*' })).toBe('IMPLICIT_DENY');
    expect(ask({ AWS: 'arn:aws:iam::2:root' })).toBe('IMPLICIT_DENY');
    expect(ask({ Service: 'ses.amazonaws.com' })).toBe('IMPLICIT_DENY');
    expect(ask('*')).toBe('ALLOW');
  });
});
