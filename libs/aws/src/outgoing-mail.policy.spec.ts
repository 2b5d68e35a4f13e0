import fc from 'fast-check';
import { formatAddress, sendEmailBody, type OutgoingMail } from './outgoing-mail.policy';

const mail: OutgoingMail = {
  from: { email: 'hi@acme.example', name: 'Acme' },
  to: [{ email: 'ann@example.com' }],
  cc: [],
  bcc: [],
  replyTo: [],
  content: { subject: 'Hello', text: 'Hi', headers: [], attachments: [] },
  configurationSet: 'pf-1-tx',
  tags: { message: 'm', attempt: 'a' },
};

const bodyOf = (of: OutgoingMail): unknown => JSON.parse(sendEmailBody(of).toString());

describe('a mail as SES takes it', () => {
  it('has one configuration set, its tags and nothing that was not asked for', () => {
    expect(bodyOf(mail)).toEqual({
      FromEmailAddress: '"Acme" <hi@acme.example>',
      Destination: { ToAddresses: ['ann@example.com'] },
      Content: {
        Simple: { Subject: { Data: 'Hello', Charset: 'UTF-8' }, Body: { Text: { Data: 'Hi', Charset: 'UTF-8' } } },
      },
      ConfigurationSetName: 'pf-1-tx',
      EmailTags: [
        { Name: 'message', Value: 'm' },
        { Name: 'attempt', Value: 'a' },
      ],
    });
  });

  it('carries headers, attachments and every kind of recipient', () => {
    const body = bodyOf({
      ...mail,
      cc: [{ email: 'c@example.com' }],
      bcc: [{ email: 'b@example.com' }],
      replyTo: [{ email: 'r@example.com' }],
      content: {
        subject: 'S',
        html: '<p>Hi</p>',
        headers: [{ name: 'X-Campaign', value: 'spring' }],
        attachments: [
          { filename: 'a.txt', contentType: 'text/plain', base64: 'aGk=' },
          { filename: 'l.png', contentType: 'image/png', base64: 'aGk=', contentId: 'logo' },
        ],
      },
    });
    expect(body).toMatchObject({
      Destination: {
        ToAddresses: ['ann@example.com'],
        CcAddresses: ['c@example.com'],
        BccAddresses: ['b@example.com'],
      },
      ReplyToAddresses: ['r@example.com'],
      Content: {
        Simple: {
          Headers: [{ Name: 'X-Campaign', Value: 'spring' }],
          Attachments: [
            { FileName: 'a.txt', ContentDisposition: 'ATTACHMENT', RawContent: 'aGk=' },
            { FileName: 'l.png', ContentDisposition: 'INLINE', ContentId: 'logo' },
          ],
        },
      },
    });
  });

  it('sends a raw message as it is', () => {
    const raw = Buffer.from('From: hi@acme.example\r\n\r\nHi');
    expect(bodyOf({ ...mail, content: { raw } })).toMatchObject({ Content: { Raw: { Data: raw.toString('base64') } } });
  });

  it('P30: has tags of A-Z, a-z, 0-9, _ and - only, and refuses every other before anything is written', () => {
    const allowed = /^[A-Za-z0-9_-]{1,256}$/;
    const text = fc.oneof(fc.string({ maxLength: 300 }), fc.stringMatching(/^[A-Za-z0-9_-]{1,256}$/), fc.uuid());
    fc.assert(
      fc.property(text, text, (name, value) => {
        const tagged = { ...mail, tags: { [name]: value } };
        if (!allowed.test(name) || !allowed.test(value)) expect(() => sendEmailBody(tagged)).toThrow(RangeError);
        else expect(bodyOf(tagged)).toMatchObject({ EmailTags: [{ Name: name, Value: value }] });
      }),
    );
  });

  it('quotes names and encodes what is not ASCII', () => {
    expect(formatAddress({ email: 'a@b.example', name: 'Doe, "J"' })).toBe('"Doe, \\"J\\"" <a@b.example>');
    expect(formatAddress({ email: 'a@b.example', name: 'Jörg' })).toBe('=?UTF-8?B?SsO2cmc=?= <a@b.example>');
    expect(formatAddress({ email: 'a@b.example' })).toBe('a@b.example');
  });

  it('makes encoded words of at most 75 characters that decode to the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }), (name) => {
        const text = formatAddress({ email: 'a@b.example', name: `ü${name}` });
        const words = text.slice(0, -' <a@b.example>'.length).split(' ');
        expect(words.every((word) => word.length <= 75)).toBe(true);
        const decoded = words.map((word) => Buffer.from(word.slice(10, -2), 'base64').toString()).join('');
        expect(decoded).toBe(Buffer.from(`ü${name}`).toString());
      }),
    );
  });
});
