import { defaultRoleArn, newAwsAccountIssues, type NewAwsAccount } from './new-aws-account.policy';

const good: NewAwsAccount = {
  accountId: '111122223333',
  name: 'Account B',
  tier: 'growth',
  regions: ['us-east-1', 'eu-west-1'],
  sendRoleArn: 'arn:aws:iam::111122223333:role/postfleet/fleet-send',
  manageRoleArn: 'arn:aws:iam::111122223333:role/postfleet/fleet-manage',
  mode: 'LIVE',
};
const paths = (change: Partial<NewAwsAccount>) =>
  newAwsAccountIssues({ ...good, ...change }, ['free', 'growth']).map(({ path }) => path?.join('.'));

describe('an account that is to join', () => {
  it('may be described like this, and with the least that is needed', () => {
    expect(paths({})).toEqual([]);
    const { accountId, name, tier, regions } = good;
    expect(newAwsAccountIssues({ accountId, name, tier, regions }, ['growth'])).toEqual([]);
    expect(defaultRoleArn('111122223333', 'send')).toBe(good.sendRoleArn);
  });

  it.each<[string, Partial<NewAwsAccount>, string[]]>([
    [
      'eleven digits',
      { accountId: '11112222333', sendRoleArn: undefined as never, manageRoleArn: undefined as never },
      ['accountId'],
    ],
    ['a name that breaks a line', { name: 'a\nb' }, ['name']],
    ['an empty name', { name: ' ' }, ['name']],
    ['a tier that does not exist', { tier: 'gold' }, ['tier']],
    ['no region', { regions: [] }, ['regions']],
    ['a region without SES', { regions: ['us-east-1', 'us-east-9'] }, ['regions.1']],
    ['a region twice', { regions: ['us-east-1', 'us-east-1'] }, ['regions.1']],
    ['a user instead of a role', { sendRoleArn: 'arn:aws:iam::111122223333:user/x' }, ['sendRoleArn']],
    ['a role of another account', { manageRoleArn: 'arn:aws:iam::999922223333:role/x' }, ['manageRoleArn']],
    ['one role for both', { manageRoleArn: good.sendRoleArn! }, ['manageRoleArn']],
  ])('is refused with %s, naming the field', (_, change, expected) => {
    expect(paths(change)).toEqual(expected);
  });

  it('is told the tiers that exist', () => {
    expect(newAwsAccountIssues({ ...good, tier: 'gold' }, ['free', 'growth'])[0]?.message).toContain('free, growth');
  });
});
