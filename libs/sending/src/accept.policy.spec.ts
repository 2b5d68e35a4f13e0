import fc from 'fast-check';
import type { EmailInput } from './accept-input';
import { ACCEPT_LIMITS } from './accept-limits';
import { batchSizeIssue, checkEmail, idempotencyKeyIssue, regionServes, withinInlineLimit } from './accept.policy';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const HOUR = 3_600_000;

const email = (over: Partial<EmailInput> = {}): EmailInput => ({
  from: { email: 'hi@acme.com', name: 'Acme' },
  to: [{ email: 'ann@example.com' }],
  content: { inline: { subject: 'Hello', text: 'Hello Ann' } },
  ...over,
});
const inline = (over: object): Partial<EmailInput> => ({
  content: { inline: { subject: 'Hello', text: 'x', ...over } },
});
const people = (count: number) => Array.from({ length: count }, (_, i) => ({ email: `p${String(i)}@example.com` }));
const file = (bytes: number) => ({
  filename: 'a.pdf',
  contentType: 'application/pdf',
  base64: Buffer.alloc(bytes).toString('base64'),
});

function issuesOf(input: EmailInput) {
  const checked = checkEmail(input, NOW);
  return 'issues' in checked ? checked.issues.map((issue) => `${issue.code} ${(issue.path ?? []).join('.')}`) : [];
}
function draftOf(input: EmailInput) {
  const checked = checkEmail(input, NOW);
  if ('issues' in checked) throw new Error(JSON.stringify(checked.issues));
  return checked.draft;
}

describe('an entry that is right', () => {
  it('becomes a draft with canonical addresses, defaults and sizes', () => {
    const draft = draftOf(email({ to: [{ email: 'Ann@EXAMPLE.com', name: 'Ann' }] }));
    expect(draft).toMatchObject({
      stream: 'TRANSACTIONAL',
      subject: 'Hello',
      attachmentBytes: 0,
      bytes: 14,
      scheduledAt: undefined,
      expiresAtMs: NOW + HOUR,
      envelope: { to: [{ email: 'Ann@example.com', name: 'Ann' }], cc: [], bcc: [] },
    });
  });

  it('keeps marketing mail for two days', () => {
    expect(draftOf(email({ stream: 'MARKETING' })).expiresAtMs).toBe(NOW + 48 * HOUR);
  });

  it('sends once to an address that is named twice', () => {
    const draft = draftOf(
      email({ to: [{ email: 'ann@example.com' }], cc: [{ email: 'ANN@example.com' }, { email: 'bob@example.com' }] }),
    );
    expect(draft.envelope.cc).toEqual([{ email: 'bob@example.com' }]);
  });

  it('may have 50 recipients and everything at its limit', () => {
    expect(issuesOf(email({ to: people(40), cc: people(5), bcc: people(5) }))).toEqual([]);
    expect(
      issuesOf(email(inline({ html: 'x'.repeat(500_000), text: 'x'.repeat(200_000), subject: 'x'.repeat(998) }))),
    ).toEqual([]);
    expect(issuesOf(email({ attachments: [file(1_000_000)] }))).toEqual([]);
    const longest = { contentId: 'x'.repeat(78), contentType: `text/${'x'.repeat(73)}` };
    expect(issuesOf(email({ attachments: [{ ...file(1), ...longest }] }))).toEqual([]);
  });

  it.each([
    ['bill.pdf', null, {}],
    ['bill.pdf', 'text/csv', { contentType: 'text/csv' }],
    ['README', null, { contentType: 'application/octet-stream' }],
  ])('leaves the type of %s, given as %s, to the ending of its name where it has one', (filename, given, stored) => {
    const { base64 } = file(1);
    const draft = draftOf(email({ attachments: [{ filename, contentType: given, base64 }] }));
    expect(draft.body).toMatchObject({ attachments: [{ filename, base64, ...stored }] });
    expect(JSON.stringify(draft.body).includes('contentType')).toBe('contentType' in stored);
  });

  it('counts attachments in base64 as they travel, and decoded for the limit of a call', () => {
    const draft = draftOf(email({ attachments: [file(1_000)] }));
    expect(draft.attachmentBytes).toBe(1_000);
    expect(draft.bytes).toBe(14 + 1_336);
  });
});

describe('an entry that is wrong', () => {
  it.each<[string, Partial<EmailInput>, string[]]>([
    [
      'line break in an address',
      { to: [{ email: 'ann@example.com\r\nBcc: x@y.example' }] },
      ['INVALID_INPUT to.0.email'],
    ],
    ['display name in the address', { from: { email: 'Ann <ann@example.com>' } }, ['INVALID_INPUT from.email']],
    ['second address wrong', { cc: [{ email: 'a@example.com' }, { email: 'nope' }] }, ['INVALID_INPUT cc.1.email']],
    ['line break in a name', { to: [{ email: 'ann@example.com', name: 'A\nBcc: x' }] }, ['INVALID_INPUT to.0.name']],
    [
      "an address as the sender's name",
      { from: { email: 'hi@acme.com', name: 'ceo@bank.example' } },
      ['INVALID_INPUT from.name'],
    ],
    ['nobody to send to', { to: [] }, ['INVALID_INPUT to']],
    ['51 recipients', { to: people(51) }, ['TOO_MANY_RECIPIENTS to']],
    [
      '51 recipients over three fields',
      { to: people(20), cc: people(20), bcc: people(11) },
      ['TOO_MANY_RECIPIENTS to'],
    ],
    [
      'line break in the subject',
      inline({ subject: 'Hi\r\nBcc: x@y.example' }),
      ['INVALID_INPUT content.inline.subject'],
    ],
    ['direction override in the subject', inline({ subject: 'Hi \u202e' }), ['INVALID_INPUT content.inline.subject']],
    ['no subject', inline({ subject: ' ' }), ['INVALID_INPUT content.inline.subject']],
    ['subject over 998 characters', inline({ subject: 'x'.repeat(999) }), ['INVALID_INPUT content.inline.subject']],
    ['no content', inline({ text: ' ', html: '' }), ['INVALID_INPUT content.inline']],
    ['no kind of content', { content: {} }, ['INVALID_INPUT content']],
    [
      'two kinds of content',
      { content: { inline: { subject: 's', text: 't' }, raw: { mime: 'x' } } },
      ['INVALID_INPUT content'],
    ],
    ['HTML over 500 kB', inline({ html: 'x'.repeat(500_001) }), ['MESSAGE_TOO_LARGE content.inline.html']],
    ['text over 200 kB', inline({ text: 'x'.repeat(200_001) }), ['MESSAGE_TOO_LARGE content.inline.text']],
    ['unknown stream', { stream: 'BULK' }, ['INVALID_INPUT stream']],
    ['unknown region', { region: 'mars' }, ['INVALID_INPUT region']],
    ['reserved header', { headers: [{ name: 'Bcc', value: 'x@y.example' }] }, ['INVALID_INPUT headers.0.name']],
    [
      'routing header',
      { headers: [{ name: 'X-SES-Configuration-Set', value: 'x' }] },
      ['INVALID_INPUT headers.0.name'],
    ],
    ['line break in a header', { headers: [{ name: 'X-A', value: 'a\r\nBcc: x' }] }, ['INVALID_INPUT headers.0.value']],
    [
      'header twice',
      {
        headers: [
          { name: 'X-A', value: '1' },
          { name: 'x-a', value: '2' },
        ],
      },
      ['INVALID_INPUT headers.1.name'],
    ],
    ['header without a value', { headers: [{ name: 'X-A', value: '' }] }, ['INVALID_INPUT headers.0.value']],
    [
      'content id that SES would refuse',
      { attachments: [{ ...file(1), contentId: 'x'.repeat(79) }] },
      ['INVALID_INPUT attachments.0.contentId'],
    ],
    [
      'content type that SES would refuse',
      { attachments: [{ ...file(1), contentType: `text/${'x'.repeat(74)}` }] },
      ['INVALID_INPUT attachments.0.contentType'],
    ],
    ['tag with a space', { tags: [{ name: 'a b', value: 'c' }] }, ['INVALID_INPUT tags.0.name']],
    ['tag of ours', { tags: [{ name: 'attempt', value: 'c' }] }, ['INVALID_INPUT tags.0.name']],
    ['tag without value', { tags: [{ name: 'a', value: '' }] }, ['INVALID_INPUT tags.0.value']],
    ['attachments over 1 MB', { attachments: [file(600_000), file(400_001)] }, ['ATTACHMENT_TOO_LARGE attachments']],
    ['21 attachments', { attachments: Array.from({ length: 21 }, () => file(1)) }, ['INVALID_INPUT attachments']],
    ['broken base64', { attachments: [{ ...file(1), base64: 'abc' }] }, ['INVALID_INPUT attachments.0.base64']],
    [
      'program by name',
      { attachments: [{ ...file(1), filename: 'bill.pdf.EXE' }] },
      ['INVALID_INPUT attachments.0.filename'],
    ],
    [
      'program by content',
      { attachments: [{ ...file(1), base64: Buffer.from('MZ....').toString('base64') }] },
      ['INVALID_INPUT attachments.0.base64'],
    ],
    [
      'path as file name',
      { attachments: [{ ...file(1), filename: '../a.pdf' }] },
      ['INVALID_INPUT attachments.0.filename'],
    ],
    [
      'HTML attachment',
      { attachments: [{ ...file(1), contentType: 'text/html' }] },
      ['INVALID_INPUT attachments.0.contentType'],
    ],
    [
      'scheduled over 30 days ahead',
      { scheduledAt: new Date(NOW + 30 * 24 * HOUR + 1) },
      ['INVALID_INPUT scheduledAt'],
    ],
    [
      'expires before it starts',
      { scheduledAt: new Date(NOW + HOUR), expiresAt: new Date(NOW + HOUR) },
      ['INVALID_INPUT expiresAt'],
    ],
    ['waits over 7 days', { expiresAt: new Date(NOW + 7 * 24 * HOUR + 1) }, ['INVALID_INPUT expiresAt']],
  ])('is refused: %s', (_what, over, expected) => {
    expect(issuesOf(email(over))).toEqual(expected);
  });

  it('hears of everything at once', () => {
    const all = issuesOf(
      email({
        from: { email: 'x' },
        to: [{ email: 'y' }],
        stream: 'Z',
        ...inline({ subject: '', text: '' }),
        tags: [{ name: '', value: '' }],
      }),
    );
    expect(all).toEqual([
      'INVALID_INPUT from.email',
      'INVALID_INPUT to.0.email',
      'INVALID_INPUT content.inline.subject',
      'INVALID_INPUT content.inline',
      'INVALID_INPUT stream',
      'INVALID_INPUT tags.0.name',
      'INVALID_INPUT tags.0.value',
    ]);
  });

  it('may hold any character in its text but NUL and half a pair', () => {
    for (const text of ['a\0b', 'a\ud83d', '\ude00a']) {
      expect(issuesOf(email(inline({ text })))).toEqual(['INVALID_INPUT content.inline.text']);
      expect(issuesOf(email(inline({ html: text })))).toEqual(['INVALID_INPUT content.inline.html']);
      expect(issuesOf(email(inline({ subject: text })))).toEqual(['INVALID_INPUT content.inline.subject']);
    }
    expect(issuesOf(email(inline({ text: 'a\tb\u0001\ud83d\ude00' })))).toEqual([]);
  });

  it('never lets a line break of any field through', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 });
    fc.assert(
      fc.property(text, text, text, text, (name, subject, header, tag) => {
        const checked = checkEmail(
          email({
            to: [{ email: 'ann@example.com', name }],
            ...inline({ subject }),
            headers: [{ name: `X-${header}`, value: header }],
            tags: [{ name: tag, value: tag }],
          }),
          NOW,
        );
        if ('draft' in checked) {
          const rest = { ...checked.draft, body: undefined };
          expect(JSON.stringify(rest)).not.toMatch(/\\[rn]|\\u00[01]|\\u20(2[89a-e]|6[6-9])/);
        }
      }),
    );
  });
});

describe('a raw message', () => {
  const raw = (mime: string, over: Partial<EmailInput> = {}) => email({ content: { raw: { mime } }, ...over });
  const good = 'From: "Acme, Inc." <hi@ACME.com>\r\nTo: ann@example.com\r\nSubject: Hello\r\n\r\nHello Ann\r\n';

  it('is stored with CRLF line ends and its own subject', () => {
    const draft = draftOf(raw(good.replaceAll('\r\n', '\n')));
    expect(draft.subject).toBe('Hello');
    expect(draft.body).toEqual({ raw: Buffer.from(good).toString('base64') });
  });

  it.each([
    ['another From', good.replace('hi@ACME.com', 'ceo@bank.example')],
    ['two From fields', `From: hi@acme.com\r\n${good}`],
    ['two addresses in From', good.replace('<hi@ACME.com>', '<hi@ACME.com>, <x@y.example>')],
    ['no From', good.replace(/^From.*\r\n/, '')],
    ['a Bcc field', `Bcc: x@y.example\r\n${good}`],
    ['a routing field', `X-SES-CONFIGURATION-SET: x\r\n${good}`],
    ['a signature of its own', `DKIM-Signature: x\r\n${good}`],
    ['a line that is no field', `no field\r\n${good}`],
    ['a bare carriage return', good.replace('Hello Ann', 'Hello\rAnn')],
    ['a NUL', good.replace('Hello Ann', 'Hello\0Ann')],
    ['a line over 998 characters', `${good}${'x'.repeat(999)}`],
    ['no body', good.slice(0, good.indexOf('\r\n\r\n') + 4)],
    ['bytes beyond ASCII in the header', good.replace('Subject: Hello', 'Subject: H\u00e9llo')],
  ])('is refused with %s', (_what, mime) => {
    expect(new Set(issuesOf(raw(mime)))).toEqual(new Set(['INVALID_INPUT content.raw.mime']));
  });

  it('is refused over 10 MB, and not at 10 MB', () => {
    const of = (size: number) =>
      `${good}${'x'
        .repeat(98)
        .concat('\r\n')
        .repeat(Math.ceil(size / 100))}`.slice(0, size);
    expect(issuesOf(raw(of(ACCEPT_LIMITS.messageBytes + 1)))).toEqual(['MESSAGE_TOO_LARGE content.raw.mime']);
    expect(issuesOf(raw(of(ACCEPT_LIMITS.messageBytes)))).toEqual([]);
  });

  it('has its headers, attachments and reply addresses inside', () => {
    const over = {
      headers: [{ name: 'X-A', value: 'b' }],
      attachments: [file(1)],
      replyTo: [{ email: 'a@example.com' }],
    };
    expect(issuesOf(raw(good, over))).toEqual([
      'INVALID_INPUT headers',
      'INVALID_INPUT attachments',
      'INVALID_INPUT replyTo',
    ]);
  });

  it('is read in time that grows with its length only', () => {
    const begun = process.cpuUsage();
    checkEmail(raw(`From: ${' '.repeat(60_000)}x\r\n\r\nx`), NOW);
    checkEmail(raw(`${'a:b\r\n'.repeat(12_000)}\r\nx`), NOW);
    const { user, system } = process.cpuUsage(begun);
    // Milliseconds of CPU, of which it needs a few; what grows with the square of the length would take many seconds.
    expect((user + system) / 1_000).toBeLessThan(2_000);
  });
});

describe('a call', () => {
  it('has 1 to 1,000 entries', () => {
    expect(batchSizeIssue(0)).toMatchObject({ code: 'INVALID_INPUT', path: ['emails'] });
    expect(batchSizeIssue(1_000)).toBeUndefined();
    expect(batchSizeIssue(1_001)).toMatchObject({ code: 'BATCH_TOO_LARGE', path: ['emails'] });
  });

  it('has a key of 1 to 255 printable characters', () => {
    expect(idempotencyKeyIssue('welcome/42')).toBeUndefined();
    expect(idempotencyKeyIssue('x'.repeat(255))).toBeUndefined();
    for (const key of ['', 'x'.repeat(256), 'a\nb', ' a'])
      expect(idempotencyKeyIssue(key)).toMatchObject({ path: ['idempotencyKey'] });
  });

  it('carries 1 MB of attachments over all its entries', () => {
    expect(withinInlineLimit([600_000, 0, 400_001, 400_000, 1])).toEqual([true, true, false, true, false]);
  });
});

it.each([
  [null, 'us-east-1', true],
  ['us', 'us-east-1', true],
  ['eu', 'us-east-1', false],
  ['apac', 'ap-southeast-2', true],
  ['eu-west-1', 'eu-west-1', true],
  ['eu-west-1', 'eu-west-2', false],
])('a message for %s may leave from %s: %s', (wanted, region, serves) => {
  expect(regionServes(wanted, region)).toBe(serves);
});
