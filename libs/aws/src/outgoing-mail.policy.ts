import type { Attachment, SendEmailCommandInput } from '@aws-sdk/client-sesv2';
import type { MailAddress } from '@libs/kernel';

interface OutgoingAttachment {
  readonly filename: string;
  readonly contentType: string;
  readonly base64: string;
  /** Makes the part inline, to be shown by `cid:`. */
  readonly contentId?: string;
}

interface ComposedContent {
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

/** The SendEmail request for a mail. */
export function sendEmailInput(mail: OutgoingMail): SendEmailCommandInput {
  return {
    FromEmailAddress: formatAddress(mail.from),
    Destination: {
      ToAddresses: mail.to.map(formatAddress),
      ...(mail.cc.length > 0 ? { CcAddresses: mail.cc.map(formatAddress) } : {}),
      ...(mail.bcc.length > 0 ? { BccAddresses: mail.bcc.map(formatAddress) } : {}),
    },
    ...(mail.replyTo.length > 0 ? { ReplyToAddresses: mail.replyTo.map(formatAddress) } : {}),
    Content: contentOf(mail.content),
    ConfigurationSetName: mail.configurationSet,
    EmailTags: Object.entries(mail.tags).map(([Name, Value]) => ({ Name, Value })),
  };
}

function contentOf(content: OutgoingMail['content']): SendEmailCommandInput['Content'] {
  if ('raw' in content) return { Raw: { Data: content.raw } };
  const { subject, html, text, headers, attachments } = content;
  return {
    Simple: {
      Subject: { Data: subject, Charset: 'UTF-8' },
      Body: {
        ...(html === undefined ? {} : { Html: { Data: html, Charset: 'UTF-8' } }),
        ...(text === undefined ? {} : { Text: { Data: text, Charset: 'UTF-8' } }),
      },
      ...(headers.length > 0 ? { Headers: headers.map(({ name, value }) => ({ Name: name, Value: value })) } : {}),
      ...(attachments.length > 0 ? { Attachments: attachments.map(attachmentOf) } : {}),
    },
  };
}

function attachmentOf({ filename, contentType, base64, contentId }: OutgoingAttachment): Attachment {
  return {
    RawContent: Buffer.from(base64, 'base64'),
    FileName: filename,
    ContentType: contentType,
    ContentTransferEncoding: 'BASE64',
    ContentDisposition: contentId === undefined ? 'ATTACHMENT' : 'INLINE',
    ...(contentId === undefined ? {} : { ContentId: contentId }),
  };
}
