import { isHeaderSafe } from '@libs/kernel';
import { checkAttachments, megabytes } from './accept-attachment.policy';
import type { EmailInput, NameValueInput } from './accept-input';
import { ACCEPT_LIMITS } from './accept-limits';
import { quoted, type Problems } from './accept-problems';
import { checkRaw } from './accept-raw.policy';
import type { StoredInline, StoredRaw } from './stored-content';

type EnvelopeField = 'from' | 'to' | 'cc' | 'bcc' | 'replyTo';

export interface CheckedContent {
  readonly body: Omit<StoredInline, EnvelopeField> | Omit<StoredRaw, EnvelopeField>;
  readonly subject: string;
  /** As it travels: attachments counted in base64. */
  readonly bytes: number;
  /** Decoded bytes of its attachments. */
  readonly attachmentBytes: number;
}

/** The one kind of content a message has, checked; undefined when anything is wrong with it. */
export function checkContent(
  input: EmailInput,
  from: string | undefined,
  problems: Problems,
): CheckedContent | undefined {
  const { inline = null, raw = null } = input.content;
  if ((inline === null) === (raw === null)) {
    problems.add(['content'], 'Give exactly one of content.inline and content.raw.');
    return undefined;
  }
  if (raw !== null) return checkRawOnly(input, raw.mime, from, problems);
  return inline === null ? undefined : checkInline(input, inline, problems);
}

function checkRawOnly(
  input: EmailInput,
  mime: string,
  from: string | undefined,
  problems: Problems,
): CheckedContent | undefined {
  for (const field of ['headers', 'attachments', 'replyTo'] as const) {
    if ((input[field]?.length ?? 0) > 0)
      problems.add([field], `With content.raw, ${field} belong inside the MIME message.`);
  }
  const checked = checkRaw(mime, from, problems);
  return checked && { body: { raw: checked.raw }, subject: checked.subject, bytes: checked.bytes, attachmentBytes: 0 };
}

function checkInline(
  input: EmailInput,
  inline: NonNullable<EmailInput['content']['inline']>,
  problems: Problems,
): CheckedContent | undefined {
  const before = problems.issues.length;
  const at = (field: string) => ['content', 'inline', field];
  const { subject } = inline;
  const html = inline.html ?? '';
  const text = inline.text ?? '';
  if (!isHeaderSafe(subject))
    problems.add(at('subject'), 'A subject holds no line breaks, control or direction characters.');
  if (subject.trim() === '') problems.add(at('subject'), 'A message needs a subject.');
  if (subject.length > ACCEPT_LIMITS.subjectLength) {
    problems.add(
      at('subject'),
      `A subject has at most ${String(ACCEPT_LIMITS.subjectLength)} characters; this one has ${String(subject.length)}.`,
    );
  }
  if (html.trim() === '' && text.trim() === '')
    problems.add(['content', 'inline'], 'The message is empty: give html, text or both.');
  const htmlBytes = checkSize(html, ACCEPT_LIMITS.htmlBytes, at('html'), problems);
  const textBytes = checkSize(text, ACCEPT_LIMITS.textBytes, at('text'), problems);
  const headers = checkHeaders(input.headers ?? [], problems);
  const attachments = checkAttachments(input.attachments ?? [], problems);
  const encoded = attachments?.stored.reduce((sum, attachment) => sum + attachment.base64.length, 0) ?? 0;
  const headerBytes = headers.reduce((sum, header) => sum + header.name.length + header.value.length + 4, 0);
  const bytes = htmlBytes + textBytes + encoded + headerBytes + Buffer.byteLength(subject, 'utf8');
  if (bytes > ACCEPT_LIMITS.messageBytes) {
    problems.add(
      ['content'],
      `A message has at most ${megabytes(ACCEPT_LIMITS.messageBytes)} MB; this one has ${megabytes(bytes)} MB.`,
      'MESSAGE_TOO_LARGE',
    );
  }
  if (problems.issues.length > before || !attachments) return undefined;
  const body = {
    subject,
    ...(html === '' ? {} : { html }),
    ...(text === '' ? {} : { text }),
    headers,
    attachments: attachments.stored,
  };
  return { body, subject, bytes, attachmentBytes: attachments.bytes };
}

function checkSize(text: string, limit: number, path: readonly string[], problems: Problems): number {
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > limit) {
    problems.add(
      path,
      `At most ${String(limit / 1_000)} kB; this has ${String(Math.ceil(bytes / 1_000))} kB.`,
      'MESSAGE_TOO_LARGE',
    );
  }
  // Neither has a place in mail, and PostgreSQL's text takes neither: the whole call would fail for it.
  if (text.includes('\0') || /\p{Surrogate}/u.test(text))
    problems.add(path, 'A text holds no NUL characters and no unpaired surrogates.');
  return bytes;
}

const ALLOWED_HEADER = /^(x-(?!ses-|amz)[!-9;-~]+|list-[!-9;-~]+|references|in-reply-to)$/i;

function checkHeaders(list: readonly NameValueInput[], problems: Problems): NameValueInput[] {
  if (list.length > ACCEPT_LIMITS.headers)
    problems.add(['headers'], `At most ${String(ACCEPT_LIMITS.headers)} headers.`);
  const seen = new Set<string>();
  return list.slice(0, ACCEPT_LIMITS.headers).map(({ name, value }, index) => {
    const key = name.toLowerCase();
    if (!ALLOWED_HEADER.test(name) || name.length > ACCEPT_LIMITS.headerNameLength) {
      problems.add(
        ['headers', index, 'name'],
        `${quoted(name)} cannot be set. Allowed are X-* (not X-SES-* or X-Amz*), List-*, References and In-Reply-To.`,
      );
    } else if (seen.has(key)) {
      problems.add(['headers', index, 'name'], `${quoted(name)} is given twice.`);
    }
    seen.add(key);
    if (!/^[\u0020-\u007e]+$/.test(value) || name.length + value.length > ACCEPT_LIMITS.headerValueLength) {
      problems.add(
        ['headers', index, 'value'],
        `A header value is plain ASCII on one line, one character at least, name and value together at most ${String(ACCEPT_LIMITS.headerValueLength)} characters.`,
      );
    }
    return { name, value };
  });
}
