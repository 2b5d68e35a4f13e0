import fc from 'fast-check';
import {
  classifyAnswer,
  classifyBreak,
  classifySession,
  type OutcomeClass,
  type RefusedAnswer,
} from './send-outcome.policy';

function answer(name: string, status: number, message = ''): RefusedAnswer {
  return { name, status, message, readable: true };
}

describe('what an answer to SendEmail means', () => {
  const table: [string, RefusedAnswer, OutcomeClass][] = [
    ['429 rate', answer('TooManyRequestsException', 429, 'Maximum sending rate exceeded.'), 'rate'],
    ['429 day', answer('TooManyRequestsException', 429, 'Daily message quota exceeded.'), 'daily-quota'],
    ['400 throttling, rate', answer('ThrottlingException', 400, 'Maximum sending rate exceeded.'), 'rate'],
    ['400 throttling, day', answer('ThrottlingException', 400, 'Daily message quota exceeded'), 'daily-quota'],
    ['429 without a text', answer('TooManyRequestsException', 429), 'rate'],
    ['429 of an unknown name', answer('Whatever', 429), 'rate'],
    [
      'a day quota under another name',
      answer('LimitExceededException', 400, 'Daily message quota exceeded.'),
      'daily-quota',
    ],
    ['limit of resources', answer('LimitExceededException', 400, 'Too many instances of the resource.'), 'invalid'],
    [
      'account paused',
      answer(
        'SendingPausedException',
        400,
        'Sending paused for this account. For more information, please check the inbox',
      ),
      'paused',
    ],
    [
      'set paused',
      answer('SendingPausedException', 400, 'Sending paused for configuration set: pf-1-tx'),
      'set-paused',
    ],
    [
      'account paused, as SES’s older interfaces say it',
      answer('MessageRejected', 400, 'Sending paused for this account. For more information, please check the inbox'),
      'paused',
    ],
    [
      'account paused, as SES’s SMTP says it',
      answer('MessageRejected', 400, 'Sending suspended for this account.'),
      'paused',
    ],
    ['account paused under its other name', answer('AccountSendingPausedException', 400), 'paused'],
    ['set paused under its other name', answer('ConfigurationSetSendingPausedException', 400), 'set-paused'],
    [
      'set paused as a rejection',
      answer('MessageRejected', 400, 'Email sending for the configuration set pf-1-tx is paused.'),
      'set-paused',
    ],
    [
      'not verified, with an address that speaks of pauses',
      answer('MessageRejected', 400, 'The following identities failed the check: sending@paused.example'),
      'identity',
    ],
    ['suspended', answer('AccountSuspendedException', 400, 'Your account has been suspended.'), 'suspended'],
    ['MAIL FROM', answer('MailFromDomainNotVerifiedException', 400, 'MAIL FROM domain is not verified'), 'identity'],
    ['content', answer('MessageRejected', 400, 'Email contains a virus'), 'rejected'],
    [
      'not verified',
      answer(
        'MessageRejected',
        400,
        'Email address is not verified. The following identities failed the check in region US-EAST-1: a@b.example',
      ),
      'identity',
    ],
    ['bad request', answer('BadRequestException', 400, 'Invalid email address'), 'invalid'],
    ['pool gone', answer('BadRequestException', 400, 'Sending pool marketing does not exist.'), 'drift'],
    ['pool invalid', answer('BadRequestException', 400, 'Invalid sending pool name <marketing>.'), 'drift'],
    ['set gone', answer('NotFoundException', 404, 'Configuration set <pf-1-tx> does not exist.'), 'drift'],
    [
      'set gone as bad request',
      answer('BadRequestException', 400, 'Configuration set pf-1-tx does not exist'),
      'drift',
    ],
    ['denied', answer('AccessDeniedException', 403, 'User is not authorized to perform ses:SendEmail'), 'denied'],
    [
      'expired',
      answer('ExpiredTokenException', 403, 'The security token included in the request is expired'),
      'credentials',
    ],
    [
      'expired as denied',
      answer('AccessDeniedException', 403, 'The security token included in the request is expired'),
      'credentials',
    ],
    [
      'unknown client',
      answer('UnrecognizedClientException', 403, 'The security token included in the request is invalid.'),
      'credentials',
    ],
    [
      'bad signature',
      answer('InvalidSignatureException', 403, 'The request signature we calculated does not match'),
      'credentials',
    ],
    ['no token', answer('MissingAuthenticationTokenException', 403), 'credentials'],
    ['unknown 403', answer('OptInRequired', 403), 'denied'],
    ['unknown 404', answer('UnknownOperationException', 404), 'drift'],
    ['unknown 400', answer('Odd', 400), 'invalid'],
    ['400 without a name', answer('', 400), 'in-doubt'],
    ['413 without a name', answer('', 413), 'in-doubt'],
    ['a time-out said with 400', answer('RequestTimeoutException', 400), 'in-doubt'],
    ['a failure of AWS said with 400', answer('InternalFailure', 400), 'in-doubt'],
    ['too many bytes a second', answer('BandwidthLimitExceeded', 400), 'rate'],
    ['401', answer('Odd', 401), 'credentials'],
    ['408', answer('RequestTimeout', 408), 'in-doubt'],
    ['500', answer('InternalFailure', 500), 'in-doubt'],
    ['503', answer('ServiceUnavailable', 503), 'in-doubt'],
    ['a throttle said with 503', answer('ThrottlingException', 503), 'in-doubt'],
    ['a redirection', answer('', 307), 'in-doubt'],
    ['a proxy page with 403', { ...answer('', 403), readable: false }, 'in-doubt'],
    ['a name every object has', answer('constructor', 400), 'invalid'],
  ];

  it.each(table)('%s', (_, refused, kind) => {
    expect(classifyAnswer(refused).kind).toBe(kind);
  });

  it('keeps name, text and status for the timeline', () => {
    expect(classifyAnswer(answer('MessageRejected', 400, 'Email contains a virus'))).toEqual({
      kind: 'rejected',
      code: 'MessageRejected',
      message: 'Email contains a virus',
      httpStatus: 400,
    });
  });

  it('never calls a message unsent or refused on the word of a 5xx, whatever name and text it carries', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer({ min: 500, max: 599 }), (name, message, status) => {
        expect(classifyAnswer(answer(name, status, message)).kind).toBe('in-doubt');
      }),
    );
  });
});

describe('what it means that there is no session', () => {
  it.each([
    ['a role that may not be taken on', Object.assign(new Error('not authorized'), { name: 'AccessDenied' }), 'denied'],
    [
      'a tenant whose policy STS finds too large',
      Object.assign(new Error(), { name: 'PackedPolicyTooLargeException' }),
      'denied',
    ],
    ['a policy that STS cannot read', Object.assign(new Error(), { name: 'MalformedPolicyDocument' }), 'denied'],
    ['a region without STS', Object.assign(new Error(), { name: 'RegionDisabledException' }), 'denied'],
    [
      'credentials of our own that are no good',
      Object.assign(new Error(), { name: 'InvalidClientTokenId' }),
      'credentials',
    ],
    ['an STS that is away', Object.assign(new Error(), { code: 'ECONNREFUSED' }), 'credentials'],
    ['anything else', undefined, 'credentials'],
  ])('%s', (_, error, kind) => {
    expect(classifySession(error).kind).toBe(kind);
  });
});

describe('what a request without an answer means', () => {
  it('is in doubt once it may have been written and unsent before, whatever was thrown', () => {
    fc.assert(
      fc.property(fc.anything(), fc.boolean(), (thrown, written) => {
        const outcome = classifyBreak(thrown, written);
        expect(outcome.kind).toBe(written ? 'in-doubt' : 'unsent');
        expect(typeof outcome.code).toBe('string');
        expect(typeof outcome.message).toBe('string');
      }),
    );
  });

  it('keeps the network’s code and text, also of an error without a text of its own', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
    expect(classifyBreak(refused, false)).toEqual({
      kind: 'unsent',
      code: 'ECONNREFUSED',
      message: 'connect ECONNREFUSED 127.0.0.1:9',
    });
    const several = Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' });
    expect(classifyBreak(several, false)).toMatchObject({ code: 'ECONNREFUSED', message: 'ECONNREFUSED' });
  });
});
