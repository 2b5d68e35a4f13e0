import type { MailAddress } from '@libs/kernel';
import {
  addresses,
  formatAddress,
  headersOf,
  tagOf,
  type ComposedContent,
  type OutgoingMail,
} from './outgoing-mail.policy';

/** SESv2's path of SendBulkEmail. */
export const SEND_BULK_EMAIL_PATH = '/v2/email/outbound-bulk-emails';

/** Recipients that one SendBulkEmail may have in all (aws-facts 1.3). */
export const MOST_DESTINATIONS = 50;

/** Characters of a message's content that goes as data of a template: AWS takes 262,144 of JSON, in which a character may be six. */
const MOST_CHARACTERS = 40_000;

/**
 * Bytes of all contents and headers of a request. With a template of its own it may have 1 MB of JSON, as SES's guide to
 * personalized mail says. What is left of that are addresses, tags and names: of 50 recipients with the longest names 100 kB.
 */
export const MOST_CONTENT_BYTES = 850_000;

/** Content of so many characters is not measured: fifty of these fit whatever is in them. */
const SMALL = 2_000;
/** Bytes of a character as data, which is JSON in a text of JSON: a control character becomes `\\u0001`. */
const MOST_PER_CHARACTER = 7;
/** Bytes of the names that content of an entry's own comes under. */
const NAMES = 150;

/** What SES takes for a variable where it renders. Of headers and addresses it is not known whether it does. */
const VARIABLE = '{{';

/** Whether it may go together with others. SendBulkEmail takes no raw MIME, and has attachments for all or for none. */
export function mayGoTogether(mail: OutgoingMail): boolean {
  const { content } = mail;
  if ('raw' in content || content.attachments.length > 0) return false;
  if (charactersOf(content) > MOST_CHARACTERS) return false;
  if (content.headers.some(({ value }) => value.includes(VARIABLE))) return false;
  return ![[mail.from], mail.replyTo, mail.to, mail.cc, mail.bcc].some((list) => list.some(looksLikeVariable));
}

function looksLikeVariable({ email, name }: MailAddress): boolean {
  return email.includes(VARIABLE) || name?.includes(VARIABLE) === true;
}

/** The most bytes that its content and headers take in a request, in which what `first` says stands already. */
export function contentBytes(mail: OutgoingMail, first?: OutgoingMail): number {
  const content = composed(mail);
  const headers = content.headers.reduce((sum, { name, value }) => sum + 2 * (name.length + value.length) + 50, 0);
  return first !== undefined && saysTheSame(content, composed(first)) ? headers : headers + NAMES + dataBytes(content);
}

function dataBytes(content: ComposedContent): number {
  const characters = charactersOf(content);
  if (characters <= SMALL) return characters * MOST_PER_CHARACTER;
  return Buffer.byteLength(JSON.stringify(dataOf(content)));
}

function charactersOf({ subject, html = '', text = '' }: ComposedContent): number {
  return subject.length + html.length + text.length;
}

/** Whether two that may go together have the same sender, set and parts. What they say, to whom, is an entry's own. */
export function goTogether(one: OutgoingMail, other: OutgoingMail): boolean {
  const { content: a } = one;
  const { content: b } = other;
  if ('raw' in a || 'raw' in b) return false;
  return (
    one.configurationSet === other.configurationSet &&
    (a.html === undefined) === (b.html === undefined) &&
    (a.text === undefined) === (b.text === undefined) &&
    isSameAddress(one.from, other.from) &&
    one.replyTo.length === other.replyTo.length &&
    one.replyTo.every((address, i) => isSameAddress(address, other.replyTo[i]))
  );
}

/**
 * The body of SendBulkEmail for mail that goes together, as the SDK would write it. The template has nothing but variables, in
 * the form that is never escaped, and the content is data: no word of it is taken for a variable. What the
 * first says is everybody's unless an entry says otherwise.
 * @throws RangeError for a tag SES does not take
 */
export function sendBulkEmailBody(mails: readonly [OutgoingMail, ...OutgoingMail[]]): Buffer {
  const [first] = mails;
  const content = composed(first);
  return Buffer.from(
    JSON.stringify({
      FromEmailAddress: formatAddress(first.from),
      ReplyToAddresses: addresses(first.replyTo),
      DefaultContent: {
        Template: {
          TemplateContent: {
            Subject: '{{{subject}}}',
            Html: content.html === undefined ? undefined : '{{{html}}}',
            Text: content.text === undefined ? undefined : '{{{text}}}',
          },
          TemplateData: dataOf(content),
        },
      },
      BulkEmailEntries: mails.map((mail) => entryOf(mail, content)),
      ConfigurationSetName: first.configurationSet,
    }),
  );
}

function entryOf(mail: OutgoingMail, first: ComposedContent): object {
  const own = composed(mail);
  return {
    Destination: {
      ToAddresses: mail.to.map(formatAddress),
      CcAddresses: addresses(mail.cc),
      BccAddresses: addresses(mail.bcc),
    },
    ReplacementTags: Object.entries(mail.tags).map(tagOf),
    ReplacementHeaders: headersOf(own),
    ReplacementEmailContent: saysTheSame(own, first)
      ? undefined
      : { ReplacementTemplate: { ReplacementTemplateData: dataOf(own) } },
  };
}

function composed({ content }: OutgoingMail): ComposedContent {
  if ('raw' in content) throw new RangeError('raw mail goes by itself');
  return content;
}

function saysTheSame(one: ComposedContent, other: ComposedContent): boolean {
  return one.html === other.html && one.text === other.text && one.subject === other.subject;
}

function dataOf({ subject, html, text }: ComposedContent): string {
  return JSON.stringify({ subject, html, text });
}

function isSameAddress(one: MailAddress, other: MailAddress | undefined): boolean {
  return one.email === other?.email && one.name === other.name;
}
