import { createHmac, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Mode } from '@libs/kernel';

/** Who a key is for: a customer's live or test mode, or an operator. */
export type KeyKind = Mode | 'ADMIN';

export interface ParsedKey {
  readonly kind: KeyKind;
  readonly key: string;
}

const PREFIX = { LIVE: 'pf_live_', TEST: 'pf_test_', ADMIN: 'pf_adm_' } as const satisfies Record<KeyKind, string>;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_LENGTH = 30; // 178 bits
const CHECKSUM_LENGTH = 6; // 32 bits need 5.4 characters of base 62
/** How much of a key is stored and shown, so that its owner can tell it from others. */
const SHOWN_LENGTH = 12;
const SHAPE = /^(pf_live_|pf_test_|pf_adm_)[0-9A-Za-z]{36}$/;

/** A new key from the operating system's randomness (SECURITY.md 1). */
export function mintKey(kind: KeyKind): string {
  let text: string = PREFIX[kind];
  for (let i = 0; i < SECRET_LENGTH; i += 1) text += BASE62[randomInt(BASE62.length)] ?? '';
  return text + checksum(text);
}

/**
 * The key and its kind, or undefined for anything that nobody was ever given. The checksum covers the prefix too, and
 * a CRC32 finds every change of up to four neighbouring characters: a mistyped key costs no query.
 */
export function parseKey(text: string): ParsedKey | undefined {
  const prefix = SHAPE.exec(text)?.[1];
  const kind = (Object.keys(PREFIX) as KeyKind[]).find((one) => PREFIX[one] === prefix);
  if (kind === undefined) return undefined;
  const body = text.slice(0, -CHECKSUM_LENGTH);
  return text.slice(-CHECKSUM_LENGTH) === checksum(body) ? { kind, key: text } : undefined;
}

/** What is stored instead of the key (SECURITY.md 2). No slow hash: 178 random bits cannot be guessed. */
export function digestOf(key: string, pepper: string): Buffer {
  return createHmac('sha256', pepper).update(key, 'utf8').digest();
}

export function shownPrefix(key: string): string {
  return key.slice(0, SHOWN_LENGTH);
}

function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i += 1) {
    text = (BASE62[rest % BASE62.length] ?? '') + text;
    rest = Math.floor(rest / BASE62.length);
  }
  return text;
}
