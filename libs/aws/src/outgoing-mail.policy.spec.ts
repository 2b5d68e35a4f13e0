import fc from 'fast-check';
import { formatAddress, sendEmailInput, type OutgoingMail } from './outgoing-mail.policy';

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

describe('a mail as SES takes it', () => {
  it('has one configuration set, its tags and nothing that was not asked for', () => {
    expect(sendEmailInput(mail)).toEqual({
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
    const input = sendEmailInput({
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
    expect(input.Destination).toEqual({
      ToAddresses: ['ann@example.com'],
      CcAddresses: ['c@example.com'],
      BccAddresses: ['b@example.com'],
    });
    expect(input.ReplyToAddresses).toEqual(['r@example.com']);
    expect(input.Content?.Simple?.Headers).toEqual([{ Name: 'X-Campaign', Value: 'spring' }]);
    expect(input.Content?.Simple?.Attachments?.map((a) => [a.FileName, a.ContentDisposition, a.ContentId])).toEqual([
      ['a.txt', 'ATTACHMENT', undefined],
      ['l.png', 'INLINE', 'logo'],
    ]);
  });

  it('sends a raw message as it is', () => {
    const raw = Buffer.from('From: hi@acme.example\r\n\r\nHi');
    expect(sendEmailInput({ ...mail, content: { raw } }).Content).toEqual({ Raw: { Data: raw } });
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
