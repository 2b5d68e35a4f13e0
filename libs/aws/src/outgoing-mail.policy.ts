import type { MailAddress } from '@libs/kernel';

interface OutgoingAttachment {
  readonly filename: string;
  /** SES finds it from the ending of the name when it is left out. */
  readonly contentType?: string;
  /** Canonical: padded, without line breaks. */
  readonly base64: string;
  /** Makes the part inline, to be shown by `cid:`. */
  readonly contentId?: string;
}

export interface ComposedContent {
  readonly subject: string;
  readonly html?: string;
  readonly text?: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly attachments: readonly OutgoingAttachment[];
}

/** One e-mail as it goes to SES: already validated, addresses canonical. */
export interface OutgoingMail {
  readonly from: MailAddress;
  readonly to: readonly MailAddress[];
  readonly cc: readonly MailAddress[];
  readonly bcc: readonly MailAddress[];
  readonly replyTo: readonly MailAddress[];
  readonly content: ComposedContent | { readonly raw: Uint8Array };
  readonly configurationSet: string;
  /** Names and values of [A-Za-z0-9_-] only (aws-facts 1.2). */
  readonly tags: Readonly<Record<string, string>>;
}

/** An address as SES takes it: a display name quoted, and encoded by RFC 2047 when it is not plain ASCII. */
export function formatAddress({ email, name }: MailAddress): string {
  if (name === undefined || name === '') return email;
  if (/^[\u0020-\u007e]*$/u.test(name) && !name.includes('=?')) {
    return `"${name.replace(/["\\]/g, '\\$&')}" <${email}>`;
  }
  return `${encodedWords(name)} <${email}>`;
}

// 45 bytes of UTF-8 are 60 of base64: with `=?UTF-8?B??=` an encoded word stays within its 75 characters.
const WORD_BYTES = 45;

function encodedWords(text: string): string {
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  words.push(word);
  return words.map((part) => `=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).join(' ');
}

/** SESv2's path of SendEmail. */
export const SEND_EMAIL_PATH = '/v2/email/outbound-emails';

/**
 * The body of SendEmail, as the SDK would write it. Attachments are stored as base64 and go out as they are stored.
 * @throws RangeError for a tag SES does not take: its events would not find the way back
 */
export function sendEmailBody(mail: OutgoingMail): Buffer {
  return Buffer.from(
    JSON.stringify({
      FromEmailAddress: formatAddress(mail.from),
      Destination: {
        ToAddresses: mail.to.map(formatAddress),
        CcAddresses: addresses(mail.cc),
        BccAddresses: addresses(mail.bcc),
      },
      ReplyToAddresses: addresses(mail.replyTo),
      Content: contentOf(mail.content),
      ConfigurationSetName: mail.configurationSet,
      EmailTags: Object.entries(mail.tags).map(tagOf),
    }),
  );
}

/** What is undefined is left out of the JSON. */
export function addresses(list: readonly MailAddress[]): string[] | undefined {
  return list.length === 0 ? undefined : list.map(formatAddress);
}

const TAG = /^[A-Za-z0-9_-]{1,256}$/;

export function tagOf([name, value]: readonly [string, string]): { Name: string; Value: string } {
  if (!TAG.test(name) || !TAG.test(value)) {
    throw new RangeError('A tag consists of 1 to 256 of the characters A-Z, a-z, 0-9, _ and -.');
  }
  return { Name: name, Value: value };
}

const utf8 = (text: string | undefined) => (text === undefined ? undefined : { Data: text, Charset: 'UTF-8' });

function contentOf(content: OutgoingMail['content']): object {
  if ('raw' in content) return { Raw: { Data: base64Of(content.raw) } };
  const { subject, html, text, attachments } = content;
  return {
    Simple: {
      Subject: utf8(subject),
      Body: { Html: utf8(html), Text: utf8(text) },
      Headers: headersOf(content),
      Attachments: attachments.length === 0 ? undefined : attachments.map(attachmentOf),
    },
  };
}

/** Undefined when there are none. */
export function headersOf({ headers }: ComposedContent): object[] | undefined {
  return headers.length === 0 ? undefined : headers.map(({ name, value }) => ({ Name: name, Value: value }));
}

function base64Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function attachmentOf({ filename, contentType, base64, contentId }: OutgoingAttachment): object {
  return {
    RawContent: base64,
    FileName: filename,
    ContentType: contentType,
    ContentTransferEncoding: 'BASE64',
    ContentDisposition: contentId === undefined ? 'ATTACHMENT' : 'INLINE',
    ContentId: contentId,
  };
}
