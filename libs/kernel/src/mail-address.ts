import { domainToASCII } from 'node:url';

export interface MailAddress {
  /** Canonical: local part as given, domain in lower-case ASCII (punycode). */
  readonly email: string;
  readonly name?: string;
}

const MAX_LENGTH = 320;
const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** What nearly every domain looks like: small letters and digits, a last label that is no number, nothing encoded. */
const PLAIN_DOMAIN = /^(?:(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!xn--)[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** C0, C1, line and paragraph separators, bidirectional overrides, halves of pairs: what turns a name or subject into another header or a lie. */
const FORBIDDEN_IN_HEADER = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\p{Surrogate}]/u;

/**
 * The canonical form of a bare address `local@domain`, or undefined. Strict on purpose (SECURITY.md 40, 5.1): dot-atom
 * local part in ASCII (SES has no SMTPUTF8), no quotes, comments, literals, lists, encoded words.
 */
export function canonicalAddress(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  if (at < 1 || local.length > 64 || !LOCAL.test(local) || local.includes('=?')) return undefined;
  const domain = canonicalDomain(text.slice(at + 1));
  return domain === undefined ? undefined : `${local}@${domain}`;
}

/** A domain name in lower-case ASCII, or undefined: at least two LDH labels, a letter in the last, at most 254 characters. */
export function canonicalDomain(text: string): string | undefined {
  if (text.length === 0 || text.length > 254) return undefined;
  // Such a name is its own canonical form; asking the URL standard costs as much as the rest of an address.
  if (PLAIN_DOMAIN.test(text)) return text;
  const normal = text.normalize('NFC');
  const ascii = domainToASCII(normal);
  // A mapping that changes more than case (full-width forms, soft hyphens, ignorable characters) hides another name.
  const unicode = /^[\u0000-\u007f]*$/u.test(normal) ? ascii === normal.toLowerCase() : ascii.includes('xn--');
  if (!unicode || /[\u00ad\u200b-\u200f\u2060\ufeff\uff00-\uffef]/u.test(normal)) return undefined;
  const labels = ascii.split('.');
  const top = labels.at(-1) ?? '';
  if (ascii.length > 254 || labels.length < 2 || !labels.every((label) => LABEL.test(label)) || !/[a-z]/.test(top)) {
    return undefined;
  }
  return ascii;
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** True when `domain` is `parent` or below it: mail from news.acme.com may be sent with acme.com verified. */
export function isSameOrBelow(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}

/** True when the text may stand in a header as it is: no control characters, separators or direction overrides. */
export function isHeaderSafe(text: string): boolean {
  return !FORBIDDEN_IN_HEADER.test(text);
}
