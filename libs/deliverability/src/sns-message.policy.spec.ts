import fc from 'fast-check';
import { isCertificateOf, isLate, parseSnsMessage, regionOfTopic, snsOrigin, stringToSign } from './sns-message.policy';

const HEX = '9c6465fa7f48f5cacd23014631ec1136';
const ORIGIN = snsOrigin('eu-west-1');
const GOOD = `${ORIGIN}/SimpleNotificationService-${HEX}.pem`;

describe('the address of a signing certificate', () => {
  it('is accepted when it is exactly that of SNS in the region of the topic', () => {
    expect(GOOD).toBe(`https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${HEX}.pem`);
    expect(isCertificateOf(ORIGIN, GOOD)).toBe(true);
  });

  it.each([
    ['another region', `https://sns.us-east-1.amazonaws.com/SimpleNotificationService-${HEX}.pem`],
    [
      'a bucket whose host looks like SNS',
      `https://sns.s3-eu-west-1.amazonaws.com/SimpleNotificationService-${HEX}.pem`,
    ],
    ['a bucket', `https://s3-eu-west-1.amazonaws.com/sns.eu-west-1/SimpleNotificationService-${HEX}.pem`],
    [
      'user info before another host',
      `https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-${HEX}.pem`,
    ],
    ['a longer host', `https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-${HEX}.pem`],
    ['a query', `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${HEX}.pem?x=1`],
    ['a fragment', `https://sns.eu-west-1.amazonaws.com/#/SimpleNotificationService-${HEX}.pem`],
    ['a path that climbs', `https://sns.eu-west-1.amazonaws.com/../bucket/SimpleNotificationService-${HEX}.pem`],
    ['a back-slash', `https://sns.eu-west-1.amazonaws.com\\SimpleNotificationService-${HEX}.pem`],
    ['full-width letters', `https://sns.eu-west-1.amazonaws.com\uff0fSimpleNotificationService-${HEX}.pem`],
    ['no TLS', `http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${HEX}.pem`],
    ['a port', `https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-${HEX}.pem`],
    ['upper-case digits', `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${HEX.toUpperCase()}.pem`],
    ['a digit too few', `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${HEX.slice(1)}.pem`],
    ['a digit too many', `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${HEX}0.pem`],
    ['a line break at the end', `${GOOD}\n`],
    ['percent encoding', `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${HEX.slice(0, 29)}%30.pem`],
  ])('is refused with %s', (_what, url) => {
    expect(isCertificateOf(ORIGIN, url)).toBe(false);
  });

  it('is refused after any change of one character', () => {
    const edit = fc.record({
      at: fc.nat(GOOD.length),
      text: fc.string({ minLength: 0, maxLength: 3, unit: 'binary' }),
      drop: fc.nat(2),
    });
    fc.assert(
      fc.property(edit, ({ at, text, drop }) => {
        const url = GOOD.slice(0, at) + text + GOOD.slice(at + drop);
        const file = /^https:\/\/sns\.eu-west-1\.amazonaws\.com\/SimpleNotificationService-[0-9a-f]{32}\.pem$/.test(
          url,
        );
        expect(isCertificateOf(ORIGIN, url)).toBe(file && !url.endsWith('\n'));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('the region of a topic', () => {
  it.each([
    ['arn:aws:sns:eu-west-1:111122223333:postfleet-events', 'eu-west-1'],
    ['arn:aws:sns:ap-southeast-2:111122223333:x', 'ap-southeast-2'],
    ['arn:aws:sns:eu-west-1.evil.example/:111122223333:x', undefined],
    ['arn:aws:sqs:eu-west-1:111122223333:x', undefined],
    ['arn:aws:sns:eu-west-1:111122223333:x/../y', undefined],
    ['', undefined],
  ])('of %s is %s', (arn, region) => {
    expect(regionOfTopic(arn)).toBe(region);
  });
});

describe('the text that SNS signs', () => {
  const common = {
    MessageId: 'i',
    TopicArn: 'a',
    Message: 'm',
    Timestamp: 't',
    SignatureVersion: '1',
    Signature: 's',
    SigningCertURL: 'u',
  } as const;

  it('holds the keys of a notification in byte order, the subject only when there is one', () => {
    expect(stringToSign({ Type: 'Notification', ...common })).toBe(
      'Message\nm\nMessageId\ni\nTimestamp\nt\nTopicArn\na\nType\nNotification\n',
    );
    expect(stringToSign({ Type: 'Notification', ...common, Subject: 'x' })).toContain(
      'MessageId\ni\nSubject\nx\nTimestamp',
    );
  });

  it.each(['SubscriptionConfirmation', 'UnsubscribeConfirmation'] as const)('holds the token of a %s', (Type) => {
    expect(stringToSign({ Type, ...common, Token: 'k', SubscribeURL: 'l' })).toBe(
      `Message\nm\nMessageId\ni\nSubscribeURL\nl\nTimestamp\nt\nToken\nk\nTopicArn\na\nType\n${Type}\n`,
    );
  });
});

describe('a body', () => {
  it.each(['', 'null', '[]', '{}', '{"Type":"Notification"}', '{"Type":"Other"}', 'x'.repeat(100)])(
    'that SNS does not send is none: %s',
    (body) => {
      expect(parseSnsMessage(body)).toBeUndefined();
    },
  );

  it('signed more than an hour ago is late', () => {
    const signedAt = Date.parse('2026-11-22T10:00:00.000Z');
    expect(isLate('2026-11-22T10:00:00.000Z', signedAt + 3_600_000)).toBe(false);
    expect(isLate('2026-11-22T10:00:00.000Z', signedAt + 3_600_001)).toBe(true);
    expect(isLate('yesterday', signedAt)).toBe(true);
  });
});
