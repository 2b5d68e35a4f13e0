import fc from 'fast-check';
import { contentBytes, goTogether, mayGoTogether, sendBulkEmailBody } from './bulk-mail.policy';
import type { OutgoingMail } from './outgoing-mail.policy';

const content = { subject: 'News', html: '<p>Hi</p>', text: 'Hi', headers: [], attachments: [] };
const mail: OutgoingMail = {
  from: { email: 'news@acme.example', name: 'Acme' },
  to: [{ email: 'ann@example.com' }],
  cc: [],
  bcc: [],
  replyTo: [{ email: 'reply@acme.example' }],
  content,
  configurationSet: 'pf-1-mk',
  tags: { message: 'm1', attempt: 'a1' },
};
const withContent = (changes: object): OutgoingMail => ({ ...mail, content: { ...content, ...changes } });
const raw: OutgoingMail = { ...mail, content: { raw: Buffer.from('Subject: x\r\n\r\ny') } };

interface Entry {
  readonly ReplacementEmailContent?: { readonly ReplacementTemplate: { readonly ReplacementTemplateData: string } };
}
interface Body {
  readonly DefaultContent: { readonly Template: { readonly TemplateContent: object; readonly TemplateData: string } };
  readonly BulkEmailEntries: readonly Entry[];
}

/** What SES makes of each entry: the template's variables, by the entry's own data or what holds for all. */
function rendered(mails: readonly [OutgoingMail, ...OutgoingMail[]]): object[] {
  const { DefaultContent, BulkEmailEntries } = JSON.parse(sendBulkEmailBody(mails).toString()) as Body;
  const { TemplateContent, TemplateData } = DefaultContent.Template;
  return BulkEmailEntries.map(({ ReplacementEmailContent: own }) => {
    const data = JSON.parse(own?.ReplacementTemplate.ReplacementTemplateData ?? TemplateData) as Record<string, string>;
    const parts = Object.entries(TemplateContent) as [string, string][];
    return Object.fromEntries(parts.map(([part, template]) => [part, data[/^\{\{\{(\w+)\}\}\}$/.exec(template)![1]!]]));
  });
}

describe('mail that may share a request', () => {
  it('goes together whatever it says, to whom, with which headers and tags', () => {
    const other = { ...withContent({ subject: 'x', html: 'y', text: 'z', headers: [{ name: 'A', value: 'b' }] }) };
    expect(goTogether(mail, { ...other, to: [], cc: mail.to, bcc: mail.to, tags: {} })).toBe(true);
  });

  it.each<[string, OutgoingMail]>([
    ['sender', { ...mail, from: { email: 'other@acme.example', name: 'Acme' } }],
    ['name of its sender', { ...mail, from: { email: 'news@acme.example', name: 'Other' } }],
    ['address for replies', { ...mail, replyTo: [{ email: 'other@acme.example' }] }],
    ['number of addresses for replies', { ...mail, replyTo: [] }],
    ['configuration set', { ...mail, configurationSet: 'pf-2-mk' }],
    ['choice of parts, without text', withContent({ text: undefined })],
    ['choice of parts, without HTML', withContent({ html: undefined })],
    ['form, which is raw', raw],
  ])('does not go together with another %s', (_, other) => {
    expect(goTogether(mail, other)).toBe(false);
    expect(goTogether(other, mail)).toBe(false);
  });

  it.each<[string, OutgoingMail]>([
    ['raw', raw],
    ['with an attachment', withContent({ attachments: [{ filename: 'a.txt', base64: 'YQ==' }] })],
    ['with what could be a variable in a header', withContent({ headers: [{ name: 'X-A', value: '{{x}}' }] })],
    ['with what could be a variable in its sender’s name', { ...mail, from: { ...mail.from, name: '{{x}}' } }],
    ['with what could be a variable in a recipient’s name', { ...mail, bcc: [{ ...mail.to[0]!, name: '{{x}}' }] }],
    ['with what could be a variable in an address', { ...mail, replyTo: [{ email: '{{x}}@acme.example' }] }],
    ['too long to be data of a template', withContent({ html: 'x'.repeat(40_000) })],
  ])('goes by itself when it is %s', (_, alone) => {
    expect(mayGoTogether(alone)).toBe(false);
    expect(mayGoTogether(mail)).toBe(true);
  });

  it('stays within AWS’s length of template data whatever its characters are', () => {
    const longest = withContent({ html: '\u0000'.repeat(40_000 - 6), text: '' });
    expect(mayGoTogether(longest)).toBe(true);
    const body = JSON.parse(sendBulkEmailBody([longest]).toString()) as Body;
    expect(body.DefaultContent.Template.TemplateData.length).toBeLessThanOrEqual(262_144);
  });

  it('knows how much room it takes at most, beside one that says the same or not', () => {
    const characters = fc.string({
      unit: fc.constantFrom('a', '"', '\\', '\n', '\u0001', 'ü', '語', '😀'),
      maxLength: 3_000,
    });
    const header = fc.record({ name: fc.constant('X-A'), value: fc.string({ maxLength: 200 }) });
    const drawn = fc.record({ subject: characters, html: characters, headers: fc.array(header, { maxLength: 3 }) });
    const length = (...mails: readonly [OutgoingMail, ...OutgoingMail[]]) => sendBulkEmailBody(mails).length;
    const bare = withContent({ subject: '', html: '', text: undefined });
    const around = length(bare);
    // Without its headers and content.
    const entry = length(bare, bare) - around;
    fc.assert(
      fc.property(drawn, drawn, fc.boolean(), (one, two, same) => {
        const first = withContent({ ...one, text: undefined });
        const other = withContent({ ...(same ? { ...one, headers: two.headers } : two), text: undefined });
        expect(contentBytes(first)).toBeGreaterThanOrEqual(length(first) - around);
        expect(contentBytes(other, first)).toBeGreaterThanOrEqual(length(first, other) - length(first) - entry);
      }),
    );
    const long = withContent({ html: 'x'.repeat(30_000) });
    expect(contentBytes(long)).toBeLessThan(30_300);
    expect(contentBytes(long, long)).toBe(0);
  });

  it('arrives as it was written, with what looks like a variable in it or not', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('{{name}}', '{{{html}}}', '{{#if x}}', '\\', '"'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 6 }), (contents) => {
        const [first, ...others] = contents.map(([subject, html]) => withContent({ subject, html, text: undefined }));
        if (first === undefined) return;
        expect(rendered([first, ...others])).toEqual(contents.map(([Subject, Html]) => ({ Subject, Html })));
      }),
    );
  });

  it('has an entry for each, with its recipients, tags, headers and content, around one template', () => {
    const same = { ...mail, to: [{ email: 'bob@example.com', name: 'Bob' }], tags: { message: 'm2' } };
    const other = withContent({
      html: '<p>Ho</p>',
      headers: [{ name: 'List-Unsubscribe', value: '<https://x.example/1>' }],
    });
    expect(JSON.parse(sendBulkEmailBody([mail, same, other]).toString())).toEqual({
      FromEmailAddress: '"Acme" <news@acme.example>',
      ReplyToAddresses: ['reply@acme.example'],
      DefaultContent: {
        Template: {
          TemplateContent: { Subject: '{{{subject}}}', Html: '{{{html}}}', Text: '{{{text}}}' },
          TemplateData: '{"subject":"News","html":"<p>Hi</p>","text":"Hi"}',
        },
      },
      BulkEmailEntries: [
        {
          Destination: { ToAddresses: ['ann@example.com'] },
          ReplacementTags: [
            { Name: 'message', Value: 'm1' },
            { Name: 'attempt', Value: 'a1' },
          ],
        },
        {
          Destination: { ToAddresses: ['"Bob" <bob@example.com>'] },
          ReplacementTags: [{ Name: 'message', Value: 'm2' }],
        },
        {
          Destination: { ToAddresses: ['ann@example.com'] },
          ReplacementTags: [
            { Name: 'message', Value: 'm1' },
            { Name: 'attempt', Value: 'a1' },
          ],
          ReplacementHeaders: [{ Name: 'List-Unsubscribe', Value: '<https://x.example/1>' }],
          ReplacementEmailContent: {
            ReplacementTemplate: { ReplacementTemplateData: '{"subject":"News","html":"<p>Ho</p>","text":"Hi"}' },
          },
        },
      ],
      ConfigurationSetName: 'pf-1-mk',
    });
  });
});
