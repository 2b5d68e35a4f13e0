import { canonicalAddress, isHeaderSafe } from '@libs/kernel';
import { megabytes } from './accept-attachment.policy';
import { decodedWords } from './accept-encoded-word.policy';
import { ACCEPT_LIMITS } from './accept-limits';
import { quoted, type Problems } from './accept-problems';

/** Fields only the mail system itself may write, or that would route, sign or disclose behind our back. */
const FORBIDDEN =
  /^(bcc|sender|return-path|received|resent-.*|dkim-.*|domainkey-.*|arc-.*|authentication-results|x-ses-.*|x-amz.*)$/i;
const ONCE = ['from', 'to', 'cc', 'subject', 'reply-to', 'message-id', 'date', 'mime-version', 'content-type'];
const MAX_HEADER = 64_000;
const MAX_FROM = 998;
const FIELD = /^([\u0021-\u0039\u003b-\u007e]+)[ \t]*:(.*)$/su;

export interface RawContent {
  /** The message in base64, lines ended by CRLF. */
  readonly raw: string;
  readonly subject: string;
  readonly bytes: number;
}

/** A raw MIME message whose header says what the envelope says; undefined when anything is wrong. */
export function checkRaw(mime: string, from: string | undefined, problems: Problems): RawContent | undefined {
  const at = ['content', 'raw', 'mime'];
  const before = problems.issues.length;
  const bytes = Buffer.byteLength(mime, 'utf8');
  if (bytes > ACCEPT_LIMITS.messageBytes) {
    problems.add(
      at,
      `A message has at most ${megabytes(ACCEPT_LIMITS.messageBytes)} MB; this one has ${megabytes(bytes)} MB.`,
      'MESSAGE_TOO_LARGE',
    );
    return undefined;
  }
  if (mime.includes('\0') || /\r(?!\n)/.test(mime)) {
    problems.add(at, 'The message holds a NUL or a carriage return that ends no line.');
    return undefined;
  }
  const normal = mime.replace(/\r?\n/g, '\r\n');
  const end = normal.indexOf('\r\n\r\n');
  if (end < 0 || normal.slice(end + 4).trim() === '') {
    problems.add(at, 'The message has no body: a header, an empty line and text are needed.');
    return undefined;
  }
  if (end > MAX_HEADER) {
    problems.add(at, `The header has at most ${String(MAX_HEADER / 1_000)} kB.`);
    return undefined;
  }
  if (normal.split('\r\n').some((line) => line.length > ACCEPT_LIMITS.mimeLineLength)) {
    problems.add(
      at,
      `A line has at most ${String(ACCEPT_LIMITS.mimeLineLength)} characters; encode the part as base64 or quoted-printable.`,
    );
  }
  const fields = readFields(normal.slice(0, end), at, problems);
  for (const name of ONCE) {
    if ((fields.get(name)?.length ?? 0) > 1) problems.add(at, `The header field "${name}" stands more than once.`);
  }
  const header = fields.get('from')?.[0];
  const sender = header === undefined || header.length > MAX_FROM ? undefined : soleAddress(header);
  if (sender === undefined) problems.add(at, 'The header needs one From field with one address.');
  else if (from !== undefined && sender.toLowerCase() !== from.toLowerCase()) {
    problems.add(at, `From inside the message is ${quoted(sender)}; it must be the address in "from".`);
  }
  if (problems.issues.length > before) return undefined;
  const subject = decodedWords(fields.get('subject')?.[0] ?? '').slice(0, ACCEPT_LIMITS.subjectLength);
  return { raw: Buffer.from(normal, 'utf8').toString('base64'), subject, bytes };
}

function readFields(header: string, at: readonly string[], problems: Problems): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const line of header.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? [];
    if (name === '') {
      problems.add(at, `${quoted(line)} is not a header field.`);
      continue;
    }
    if (FORBIDDEN.test(name)) problems.add(at, `The header field "${name}" is set by the mail system only: remove it.`);
    if (!isHeaderSafe(value.replaceAll('\t', ' ')) || /[^\u0009\u0020-\u007e]/u.test(value)) {
      problems.add(at, `The header field "${name}" is not plain ASCII: encode it as RFC 2047 says.`);
    }
    const key = name.toLowerCase();
    const known = fields.get(key);
    if (known) known.push(value.trim());
    else fields.set(key, [value.trim()]);
  }
  return fields;
}

/** The one address of a From field: bare, or in angle brackets after a display name without "@", "<" or ",". */
function soleAddress(value: string): string | undefined {
  const named = /^(?:"(?:[^"\\@<>]|\\.)*"|[^"@<>,;:()]*)[ \t]*<([^<>\s]+)>$/.exec(value);
  return canonicalAddress(named?.[1] ?? value);
}
