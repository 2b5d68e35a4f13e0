import { readBulkAnswer } from './bulk-answer.policy';
import type { OutcomeClass } from './send-outcome.policy';

const answer = (results: readonly unknown[], entries = results.length) =>
  readBulkAnswer(entries, 200, undefined, JSON.stringify({ BulkEmailEntryResults: results }));

describe('what SES answers to SendBulkEmail', () => {
  it('says of each entry what became of it, in their order', () => {
    const results = [
      { Status: 'SUCCESS', MessageId: '0100-a' },
      { Status: 'ACCOUNT_THROTTLED', Error: 'Maximum sending rate exceeded.' },
      { Status: 'SUCCESS', MessageId: '0100-c' },
    ];
    expect(answer(results)).toEqual([
      { kind: 'sent', sesMessageId: '0100-a' },
      {
        kind: 'rate',
        code: 'TooManyRequestsException',
        message: 'Maximum sending rate exceeded.',
        httpStatus: 400,
        operation: 'SendBulkEmail',
      },
      { kind: 'sent', sesMessageId: '0100-c' },
    ]);
  });

  it.each<[string, OutcomeClass]>([
    ['MESSAGE_REJECTED', 'rejected'],
    ['MAIL_FROM_DOMAIN_NOT_VERIFIED', 'identity'],
    ['CONFIGURATION_SET_NOT_FOUND', 'drift'],
    ['INVALID_SENDING_POOL_NAME', 'drift'],
    ['TEMPLATE_NOT_FOUND', 'invalid'],
    ['INVALID_PARAMETER', 'invalid'],
    ['ACCOUNT_SUSPENDED', 'suspended'],
    ['ACCOUNT_THROTTLED', 'rate'],
    ['ACCOUNT_DAILY_QUOTA_EXCEEDED', 'daily-quota'],
    ['ACCOUNT_SENDING_PAUSED', 'paused'],
    ['CONFIGURATION_SET_SENDING_PAUSED', 'set-paused'],
    ['TRANSIENT_FAILURE', 'in-doubt'],
    ['FAILED', 'in-doubt'],
    ['A_STATUS_OF_TOMORROW', 'in-doubt'],
  ])('takes %s for %s, with a text or without', (Status, kind) => {
    expect(answer([{ Status }])).toMatchObject([{ kind }]);
    expect(answer([{ Status, Error: 'Something else.' }])).toMatchObject([{ kind, message: 'Something else.' }]);
  });

  it('tells an identity that is not verified from other rejections, as SendEmail’s texts do', () => {
    const text =
      'Email address is not verified. The following identities failed the check in region US-EAST-1: x@y.example';
    expect(answer([{ Status: 'MESSAGE_REJECTED', Error: text }])).toMatchObject([{ kind: 'identity', message: text }]);
  });

  it.each<[string, unknown]>([
    ['a success without an id', { Status: 'SUCCESS' }],
    ['a success with an id that is none', { Status: 'SUCCESS', MessageId: 'x'.repeat(300) }],
    ['no status', {}],
    ['nothing', null],
    ['a status that is no text', { Status: 1 }],
    ['a status that is a page', { Status: '<html>'.repeat(100) }],
  ])('is in doubt about an entry with %s', (_, result) => {
    expect(answer([result])).toEqual([
      expect.objectContaining({ kind: 'in-doubt', code: expect.stringMatching(/^\w{1,100}$/) as string }),
    ]);
  });

  it.each<[string, string]>([
    ['fewer results than entries', '{"BulkEmailEntryResults":[{"Status":"SUCCESS","MessageId":"a"}]}'],
    ['no results', '{}'],
    ['no list', '{"BulkEmailEntryResults":{"length":2}}'],
    ['half of an answer', '{"BulkEmailEntryResults":[{"Sta'],
    ['nothing', ''],
    ['null', 'null'],
  ])('is in doubt about all with %s', (_, body) => {
    expect(readBulkAnswer(2, 200, undefined, body)).toMatchObject({ kind: 'in-doubt' });
  });

  it('reads a refusal of the whole request as one of SendEmail', () => {
    const read = (status: number, name: string | undefined, body: string) => readBulkAnswer(2, status, name, body);
    expect(read(403, 'AccessDeniedException', '{"message":"not authorized"}')).toMatchObject({ kind: 'denied' });
    expect(read(429, 'TooManyRequestsException', '{"message":"Maximum sending rate exceeded."}')).toMatchObject({
      kind: 'rate',
    });
    expect(read(400, 'AccountSuspendedException', '{"message":"Sending suspended."}')).toMatchObject({
      kind: 'suspended',
      operation: 'SendBulkEmail',
    });
    expect(read(500, undefined, '<html>')).toMatchObject({ kind: 'in-doubt' });
  });
});
