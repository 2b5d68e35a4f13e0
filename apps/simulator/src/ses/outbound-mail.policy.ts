import { z } from 'zod';
import { badRequest } from '../wire/aws.errors';
import { parseAddress, splitAddressList, type ParsedAddress } from './mail-address.policy';
import type { MailText } from './template.policy';

const strings = z.array(z.string()).nullish();
const attachments = z
  .array(
    z.object({
      RawContent: z.string().default(''),
      FileName: z.string().default(''),
      ContentType: z.string().nullish(),
      ContentId: z.string().nullish(),
    }),
  )
  .nullish();
const headers = z.array(z.object({ Name: z.string(), Value: z.string() })).nullish();
const part = z.object({ Data: z.string() });

const destination = z.object({ ToAddresses: strings, CcAddresses: strings, BccAddresses: strings });
const tags = z.array(z.object({ Name: z.string().default(''), Value: z.string().default('') })).nullish();
const template = z.object({
  TemplateName: z.string().nullish(),
  TemplateArn: z.string().nullish(),
  TemplateContent: z
    .object({ Subject: z.string().nullish(), Text: z.string().nullish(), Html: z.string().nullish() })
    .nullish(),
  TemplateData: z.string().nullish(),
  Headers: headers,
  Attachments: attachments,
});

export const sendEmailBody = z.object({
  FromEmailAddress: z.string().nullish(),
  Destination: destination.nullish(),
  ReplyToAddresses: strings,
  Content: z.object({
    Simple: z
      .object({
        Subject: part,
        Body: z.object({ Text: part.nullish(), Html: part.nullish() }),
        Headers: headers,
        Attachments: attachments,
      })
      .nullish(),
    Raw: z.object({ Data: z.string() }).nullish(),
    Template: template.nullish(),
  }),
  EmailTags: tags,
  ConfigurationSetName: z.string().nullish(),
  TenantName: z.string().nullish(),
});

export const sendBulkEmailBody = z.object({
  FromEmailAddress: z.string().nullish(),
  ReplyToAddresses: strings,
  DefaultContent: z.object({ Template: template.nullish() }),
  DefaultEmailTags: tags,
  BulkEmailEntries: z
    .array(
      z.object({
        Destination: destination,
        ReplacementTags: tags,
        ReplacementHeaders: headers,
        ReplacementEmailContent: z
          .object({ ReplacementTemplate: z.object({ ReplacementTemplateData: z.string().nullish() }).nullish() })
          .nullish(),
      }),
    )
    .min(1),
  ConfigurationSetName: z.string().nullish(),
  TenantName: z.string().nullish(),
});

export type SendEmailBody = z.infer<typeof sendEmailBody>;
export type SendBulkEmailBody = z.infer<typeof sendBulkEmailBody>;
type Template = z.infer<typeof template>;

/** One e-mail as SES understood it. */
export interface OutboundMail extends MailText {
  /** What the permission is asked for: v2 Raw content is authorised as SendRawEmail (aws-facts 8). */
  readonly action: 'ses:SendEmail' | 'ses:SendRawEmail';
  readonly from: ParsedAddress;
  readonly recipients: readonly ParsedAddress[];
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly replyTo: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly configurationSet: string | undefined;
  readonly tenantName: string | undefined;
  readonly template: Template | undefined;
  /** Size on the wire after base64, near enough for the 40 MB rule. */
  readonly bytes: number;
  /** Of all attachments, decoded. */
  readonly attachmentBytes: number;
}

const TAG = /^[A-Za-z0-9_-]{1,256}$/;
const MAX_BYTES = 41_943_040;
/** Of a message, and of an entry with those of its template (API reference, Message and Template). */
const MAX_HEADERS = 15;
/** Per message, and per SendBulkEmail call (aws-facts 1.3, 3). */
export const MAX_RECIPIENTS = 50;

/** Bytes of a request that has its template with it (SES's guide to personalized mail). */
const MAX_INLINE_REQUEST = 1_000_000;

/** The same for SendEmail and SendBulkEmail: 1 MB of JSON around an inline template. */
export function checkRequestSize(template: Template | null | undefined, bytes: number): void {
  if (template?.TemplateContent && bytes > MAX_INLINE_REQUEST)
    throw badRequest(`A request with an inline template has at most ${String(MAX_INLINE_REQUEST)} bytes.`);
}

/** Reads and checks one SendEmail request; throws BadRequestException as SES words it. */
export function outboundMail(body: SendEmailBody): OutboundMail {
  const { Simple: simple, Raw: raw, Template: byTemplate } = body.Content;
  if ([simple, raw, byTemplate].filter((one) => one !== undefined && one !== null).length !== 1) {
    throw badRequest('Exactly one of Simple, Raw or Template must be given as Content.');
  }
  const mime = raw ? mimeHeaders(raw.Data) : {};
  const fromText = body.FromEmailAddress ?? mime['from'];
  if (fromText === undefined || fromText === '') throw badRequest("Missing required header 'From'.");
  const given = body.Destination ?? undefined;
  const named = given?.ToAddresses?.length || given?.CcAddresses?.length || given?.BccAddresses?.length;
  const to = named ? (given.ToAddresses ?? []) : splitAddressList(mime['to'] ?? '');
  const cc = named ? (given.CcAddresses ?? []) : splitAddressList(mime['cc'] ?? '');
  const bcc = named ? (given.BccAddresses ?? []) : splitAddressList(mime['bcc'] ?? '');
  const texts = [...to, ...cc, ...bcc];
  if (texts.length === 0) throw badRequest("Missing required header 'To'.");
  if (texts.length > MAX_RECIPIENTS) throw badRequest('Recipient count exceeds 50.');
  const subject = simple?.Subject.Data ?? mime['subject'] ?? byTemplate?.TemplateContent?.Subject ?? '';
  checkSubject(subject);
  if (simple && !simple.Body.Text && !simple.Body.Html)
    throw badRequest('The message body is empty: Text or Html must be given.');
  checkHeaders([...(simple?.Headers ?? []), ...(byTemplate?.Headers ?? [])]);
  for (const attachment of attachmentsOf(body)) checkAttachment(attachment);
  const bytes = sizeOf(body);
  if (bytes > MAX_BYTES)
    throw badRequest(`Message length is more than ${String(MAX_BYTES)} bytes long: '${String(bytes)}'.`);
  return {
    action: raw ? 'ses:SendRawEmail' : 'ses:SendEmail',
    from: parseAddress(fromText),
    recipients: texts.map(parseAddress),
    to,
    cc,
    replyTo: (body.ReplyToAddresses ?? []).map((text) => parseAddress(text).address),
    subject,
    html: simple?.Body.Html?.Data,
    text: simple?.Body.Text?.Data,
    tags: checkedTags(body.EmailTags ?? headerTags(mime['x-ses-message-tags'])),
    configurationSet: body.ConfigurationSetName ?? mime['x-ses-configuration-set'],
    tenantName: body.TenantName ?? undefined,
    template: byTemplate ?? undefined,
    bytes,
    attachmentBytes: attachmentBytesOf(body),
  };
}

function checkedTags(list: readonly { Name: string; Value: string }[]): Record<string, string> {
  const tagged: Record<string, string> = {};
  for (const { Name: name, Value: value } of list) {
    if (!TAG.test(name))
      throw badRequest(`Invalid tag name <${name}>: only alphanumeric ASCII characters, '_', and '-' are allowed.`);
    if (!TAG.test(value))
      throw badRequest(`Invalid tag value <${value}>: only alphanumeric ASCII characters, '_', and '-' are allowed.`);
    if (name in tagged) throw badRequest(`Duplicate tag name <${name}>.`);
    tagged[name] = value;
  }
  return tagged;
}

function headerTags(header: string | undefined): { Name: string; Value: string }[] {
  return (header ?? '')
    .split(/[,;]/)
    .filter((pair) => pair.includes('='))
    .map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return { Name: name.trim(), Value: value.trim() };
    });
}

export function checkSubject(subject: string): void {
  if (/[\r\n]/.test(subject)) throw badRequest('The subject contains control characters.');
}

function checkHeaders(list: readonly { Name: string; Value: string }[]): void {
  if (list.length > MAX_HEADERS) throw badRequest(`At most ${String(MAX_HEADERS)} headers may be given.`);
  for (const { Name: name, Value: value } of list) checkHeader(name, value);
}

function checkHeader(name: string, value: string): void {
  if (!/^[\x21-\x39\x3b-\x7e]{1,126}$/.test(name)) throw badRequest(`Invalid header name <${name}>.`);
  if (value === '' || value.length > 995 || name.length + value.length > 996 || /[\r\n]/.test(value)) {
    throw badRequest(`Invalid value of header <${name}>.`);
  }
}

type Attachment = NonNullable<z.infer<typeof attachments>>[number];

/** The lengths of the API reference (Attachment). */
function checkAttachment({ FileName: name, ContentType: type, ContentId: id }: Attachment): void {
  const fields = [
    ['FileName', name, 255],
    ['ContentType', type, 78],
    ['ContentId', id, 78],
  ] as const;
  for (const [field, value, most] of fields) {
    if (typeof value === 'string' && (value === '' || value.length > most))
      throw badRequest(`Invalid ${field} of an attachment: 1 to ${String(most)} characters are allowed.`);
  }
}

/** Raw content is opaque here: its attachments are not told apart from the rest. */
function attachmentsOf({ Content: { Simple: simple, Template: byTemplate } }: SendEmailBody): Attachment[] {
  return [...(simple?.Attachments ?? []), ...(byTemplate?.Attachments ?? [])];
}

function attachmentBytesOf(body: SendEmailBody): number {
  return attachmentsOf(body).reduce((sum, one) => sum + Buffer.byteLength(one.RawContent, 'base64'), 0);
}

function sizeOf(body: SendEmailBody): number {
  const { Simple: simple, Raw: raw, Template: byTemplate } = body.Content;
  if (raw) return Math.floor((raw.Data.length * 3) / 4);
  const texts = [
    simple?.Subject.Data,
    simple?.Body.Text?.Data,
    simple?.Body.Html?.Data,
    byTemplate?.TemplateContent?.Subject,
    byTemplate?.TemplateContent?.Text,
    byTemplate?.TemplateContent?.Html,
    byTemplate?.TemplateData,
  ];
  return (
    texts.reduce((sum, text) => sum + (text ? Buffer.byteLength(text) : 0), 0) +
    attachmentsOf(body).reduce((sum, one) => sum + one.RawContent.length, 0)
  );
}

/** The header block of a MIME message, unfolded, names in lower case; the first of a repeated header counts. */
function mimeHeaders(base64: string): Record<string, string> {
  const head = Buffer.from(base64.slice(0, 349_528), 'base64').toString('utf8');
  const block = head.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const found: Record<string, string> = {};
  for (const line of block.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon).toLowerCase();
    found[name] ??= line.slice(colon + 1).trim();
  }
  return found;
}
