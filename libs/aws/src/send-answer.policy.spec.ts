import { readAnswer } from './send-answer.policy';

describe('what SES answered', () => {
  it('is sent only with a message id', () => {
    expect(readAnswer(200, undefined, '{"MessageId":"0100-a"}')).toEqual({ kind: 'sent', sesMessageId: '0100-a' });
    for (const body of [
      '',
      '{}',
      '{"MessageId":""}',
      '{"MessageId":7}',
      'null',
      '[]',
      '<html>',
      '{"MessageId":"x',
      '{"MessageId":"a b"}',
      '{"MessageId":"a\\u0000"}',
      `{"MessageId":"${'a'.repeat(201)}"}`,
    ]) {
      expect(readAnswer(200, undefined, body)).toMatchObject({ kind: 'in-doubt', code: 'NoMessageId' });
    }
  });

  it.each([
    ['TooManyRequestsException', '{"message":"Maximum sending rate exceeded."}'],
    ['TooManyRequestsException:http://internal.amazon.com/coral/', '{"Message":"Maximum sending rate exceeded."}'],
    [undefined, '{"__type":"com.amazonaws.ses#TooManyRequestsException","message":"Maximum sending rate exceeded."}'],
    ['', '{"__type":"TooManyRequestsException","message":"Maximum sending rate exceeded."}'],
    ['odd name', '{"__type":"TooManyRequestsException","message":"Maximum sending rate exceeded."}'],
    [undefined, '{"code":"TooManyRequestsException,x","message":"Maximum sending rate exceeded."}'],
  ])('reads AWS’s name of an error wherever it stands: %s %s', (errorType, body) => {
    expect(readAnswer(429, errorType, body)).toEqual({
      kind: 'rate',
      code: 'TooManyRequestsException',
      message: 'Maximum sending rate exceeded.',
      httpStatus: 429,
    });
  });

  it('trusts the status of an empty answer and nothing that AWS does not write', () => {
    expect(readAnswer(403, undefined, '')).toMatchObject({ kind: 'denied', code: 'HTTP403' });
    expect(readAnswer(403, undefined, '<html>blocked</html>').kind).toBe('in-doubt');
    expect(readAnswer(400, 'MessageRejected', '<html>').kind).toBe('in-doubt');
    expect(readAnswer(302, undefined, '').kind).toBe('in-doubt');
    for (const body of ['', '{}', '[]', '{"error":"bad gateway"}', '{"__type":"Odd\\u0000Name"}', '{"code":400}']) {
      expect(readAnswer(400, undefined, body)).toMatchObject({ kind: 'in-doubt', code: 'HTTP400' });
    }
  });
});
