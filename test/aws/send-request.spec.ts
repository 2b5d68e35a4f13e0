import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  SendBulkEmailCommand,
  SendEmailCommand,
  SESv2Client,
  type Attachment,
  type SendBulkEmailCommandInput,
  type SendEmailCommandInput,
} from '@aws-sdk/client-sesv2';
import {
  SEND_BULK_EMAIL_PATH,
  SEND_EMAIL_PATH,
  sendBulkEmailBody,
  sendEmailBody,
  SigV4Signer,
  type OutgoingMail,
} from '@libs/aws';
import { SystemClock } from '@libs/kernel';
import fc from 'fast-check';

const credentials = { accessKeyId: 'AKIA0000000000000001', secretAccessKey: 'secret', sessionToken: 'token' };
const clock = new SystemClock();

interface Seen {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

type Content = Exclude<OutgoingMail['content'], { raw: Uint8Array }>;

// Mail as the SDK takes it, written apart from the code under test. Addresses are bare here.

const list = (addresses: OutgoingMail['to']) =>
  addresses.length === 0 ? undefined : addresses.map(({ email }) => email);
const headersOf = ({ headers }: Content) =>
  headers.length === 0 ? undefined : headers.map(({ name, value }) => ({ Name: name, Value: value }));
const tagsOf = (mail: OutgoingMail) => Object.entries(mail.tags).map(([Name, Value]) => ({ Name, Value }));

function asInput(mail: OutgoingMail): SendEmailCommandInput {
  const text = (data: string | undefined) => (data === undefined ? undefined : { Data: data, Charset: 'UTF-8' });
  const attachment = ({ filename, contentType, base64, contentId }: Content['attachments'][number]): Attachment => ({
    RawContent: Buffer.from(base64, 'base64'),
    FileName: filename,
    ContentType: contentType,
    ContentTransferEncoding: 'BASE64',
    ContentDisposition: contentId === undefined ? 'ATTACHMENT' : 'INLINE',
    ContentId: contentId,
  });
  const simple = (content: Content): SendEmailCommandInput['Content'] => ({
    Simple: {
      Subject: text(content.subject),
      Body: { Html: text(content.html), Text: text(content.text) },
      Headers: headersOf(content),
      Attachments: content.attachments.length === 0 ? undefined : content.attachments.map(attachment),
    },
  });
  return {
    FromEmailAddress: mail.from.email,
    Destination: { ToAddresses: list(mail.to), CcAddresses: list(mail.cc), BccAddresses: list(mail.bcc) },
    ReplyToAddresses: list(mail.replyTo),
    Content: 'raw' in mail.content ? { Raw: { Data: mail.content.raw } } : simple(mail.content),
    ConfigurationSetName: mail.configurationSet,
    EmailTags: tagsOf(mail),
  };
}

type Composed = OutgoingMail & { readonly content: Content };

function asBulkInput(mail: Composed, others: readonly Composed[]): SendBulkEmailCommandInput {
  const { html, text } = mail.content;
  const data = ({ subject, html: rich, text: plain }: Content) => JSON.stringify({ subject, html: rich, text: plain });
  return {
    FromEmailAddress: mail.from.email,
    ReplyToAddresses: list(mail.replyTo),
    DefaultContent: {
      Template: {
        TemplateContent: {
          Subject: '{{{subject}}}',
          Html: html === undefined ? undefined : '{{{html}}}',
          Text: text === undefined ? undefined : '{{{text}}}',
        },
        TemplateData: data(mail.content),
      },
    },
    BulkEmailEntries: [mail, ...others].map((one) => ({
      Destination: { ToAddresses: list(one.to), CcAddresses: list(one.cc), BccAddresses: list(one.bcc) },
      ReplacementTags: tagsOf(one),
      ReplacementHeaders: headersOf(one.content),
      ReplacementEmailContent:
        data(one.content) === data(mail.content)
          ? undefined
          : { ReplacementTemplate: { ReplacementTemplateData: data(one.content) } },
    })),
    ConfigurationSetName: mail.configurationSet,
  };
}

describe('our requests to send beside the SDK’s', () => {
  let seen: Seen | undefined;
  let client: SESv2Client;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url: path, headers } = request;
      seen = { method, path, headers, body: JSON.parse(Buffer.concat(chunks).toString()) };
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"MessageId":"m"}');
    });
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    client = new SESv2Client({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  });
  afterAll(async () => {
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  async function bySdk(mail: OutgoingMail): Promise<Seen> {
    await client.send(new SendEmailCommand(asInput(mail)));
    return arrived();
  }

  function arrived(): Seen {
    if (!seen) throw new Error('nothing arrived');
    return seen;
  }

  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 20 }));
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 90 });
  const addresses = fc.array(fc.record({ email: fc.emailAddress() }), { maxLength: 3 });
  const attachment = fc.record(
    {
      filename: text,
      contentType: fc.constantFrom('text/plain', 'image/png'),
      base64: bytes.map((of) => Buffer.from(of).toString('base64')),
      contentId: fc.stringMatching(/^[a-z]{1,9}$/),
    },
    { requiredKeys: ['filename', 'base64'] },
  );
  const composed = fc.record(
    {
      subject: text,
      html: text,
      text,
      headers: fc.array(fc.record({ name: fc.stringMatching(/^X-[A-Za-z]{1,9}$/), value: text }), { maxLength: 3 }),
      attachments: fc.array(attachment, { maxLength: 2 }),
    },
    { requiredKeys: ['subject', 'headers', 'attachments'] },
  );
  const tag = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
  const anyMail: fc.Arbitrary<OutgoingMail> = fc.record({
    from: fc.record({ email: fc.emailAddress() }),
    to: fc.array(fc.record({ email: fc.emailAddress() }), { minLength: 1, maxLength: 3 }),
    cc: addresses,
    bcc: addresses,
    replyTo: addresses,
    content: fc.oneof(
      composed,
      bytes.map((raw) => ({ raw })),
    ),
    configurationSet: tag,
    tags: fc.dictionary(tag, tag, { maxKeys: 4 }),
  });

  it('has the same path and the same body for any mail', async () => {
    await fc.assert(
      fc.asyncProperty(anyMail, async (mail) => {
        const theirs = await bySdk(mail);
        expect(theirs).toMatchObject({ method: 'POST', path: SEND_EMAIL_PATH });
        expect(JSON.parse(sendEmailBody(mail).toString())).toEqual(theirs.body);
      }),
      { numRuns: 150 },
    );
  });

  it('has the same path and the same body for any mail that goes together', async () => {
    const entry = fc.record({
      content: composed,
      to: fc.array(fc.record({ email: fc.emailAddress() }), { minLength: 1, maxLength: 3 }),
      cc: addresses,
      bcc: addresses,
      tags: fc.dictionary(tag, tag, { maxKeys: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(anyMail, composed, fc.array(entry, { maxLength: 4 }), async (drawn, content, entries) => {
        const mail = { ...drawn, content };
        const others = entries.map((own) => ({ ...mail, ...own }));
        await client.send(new SendBulkEmailCommand(asBulkInput(mail, others)));
        expect(arrived()).toMatchObject({ method: 'POST', path: SEND_BULK_EMAIL_PATH });
        expect(JSON.parse(sendBulkEmailBody([mail, ...others]).toString())).toEqual(arrived().body);
      }),
      { numRuns: 100 },
    );
  });

  it('has the headers by which AWS reads a request: type, session and the same kind of signature', async () => {
    const [mail] = fc.sample(anyMail, 1);
    if (!mail) throw new Error('no mail');
    const { headers: theirs } = await bySdk(mail);
    const signer = new SigV4Signer('ses');
    const post = { host: String(theirs.host), path: SEND_EMAIL_PATH, contentType: 'application/json' };
    const flat = signer.sign({ ...post, body: sendEmailBody(mail) }, credentials, 'us-east-1', clock.nowMs());
    const ours = new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]] as const] : [])));
    const scopeOf = (authorization: unknown) =>
      /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=/.exec(String(authorization))?.[1]?.replace(/\d{8}/, 'day');
    expect(ours.get('content-type')).toBe(theirs['content-type']);
    expect(ours.get('x-amz-security-token')).toBe(theirs['x-amz-security-token']);
    expect(ours.get('x-amz-date')).toMatch(/^\d{8}T\d{6}Z$/);
    expect(theirs['x-amz-date']).toMatch(/^\d{8}T\d{6}Z$/);
    expect(scopeOf(ours.get('authorization'))).toBe(scopeOf(theirs.authorization));
    expect(scopeOf(theirs.authorization)).toBeDefined();
  });
});
