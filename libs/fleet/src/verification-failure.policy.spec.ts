import { TestModeOff } from '@libs/aws';
import { principalOf } from './account-verification.service';
import { verificationFailure, WrongAccount } from './verification-failure.policy';

const facts = {
  roleArn: 'arn:aws:iam::111122223333:role/postfleet/fleet-manage',
  externalId: 'external-1',
  accountId: '111122223333',
  region: 'eu-west-1',
  hubArn: 'arn:aws:iam::999900000000:role/postfleet-manager',
  webhookUrl: 'https://mail.example.com/webhooks/sns',
};
const said = (name: string, status: number, message = 'no') =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });

describe('why an account did not join', () => {
  it('names role, principal and external id when the role cannot be assumed', () => {
    const { failure, fix, transient } = verificationFailure('ASSUME_ROLE', said('AccessDenied', 403), facts);
    expect(failure).toBe(`The role ${facts.roleArn} cannot be assumed: AccessDenied: no`);
    expect(fix).toContain(facts.hubArn);
    expect(fix).toContain('external-1');
    expect(transient).toBe(false);
  });

  it.each(['InvalidClientTokenId', 'InvalidSignatureException'])(
    'points at our own keys when they are what is refused: %s',
    (name) => {
      expect(verificationFailure('ASSUME_ROLE', said(name, 403), facts).fix).toContain('AWS_ACCESS_KEY_ID');
    },
  );

  it('points at the templates when a permission is missing, and says where', () => {
    const failed = verificationFailure('TOPIC', said('AuthorizationErrorException', 403), facts);
    expect(failed.failure).toContain('in eu-west-1');
    expect(failed.fix).toContain('templates');
  });

  it('points at PUBLIC_URL when it cannot be subscribed', () => {
    expect(verificationFailure('SUBSCRIPTION', said('InvalidParameterException', 400), facts).fix).toContain(
      'PUBLIC_URL',
    );
  });

  it('says which account answered instead', () => {
    const failed = verificationFailure('CALLER_IDENTITY', new WrongAccount('111122223333', '444455556666'), facts);
    expect(failed.failure).toContain('expected account 111122223333, found 444455556666');
    expect(failed.transient).toBe(false);
  });

  it.each<[string, Error, boolean]>([
    ['no connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED', $metadata: {} }), true],
    ['a fault of AWS', said('InternalFailure', 500), true],
    ['a throttle of SNS', said('Throttling', 400), true],
    ['a throttle of SES', said('ThrottlingException', 400), true],
    ['a throttle', said('TooManyRequestsException', 429), true],
    ['a region that is switched off', said('RegionDisabledException', 403), false],
    ['test mode that is off', new TestModeOff(), false],
  ])('%s is worth another try by itself: %s', (_, error, transient) => {
    expect(verificationFailure('GET_ACCOUNT', error, facts).transient).toBe(transient);
  });

  it('names the role behind a session, which is what a trust policy names', () => {
    expect(principalOf('arn:aws:sts::999900000000:assumed-role/postfleet-manager/i-1')).toBe(
      'arn:aws:iam::999900000000:role/postfleet-manager',
    );
    expect(principalOf('arn:aws:iam::999900000000:user/hub')).toBe('arn:aws:iam::999900000000:user/hub');
  });
});
