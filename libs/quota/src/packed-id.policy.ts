/** Hexadecimal digits of a uuid per piece, and what a piece takes to base 36. */
const PIECES = [
  { digits: 13, chars: 11 },
  { digits: 12, chars: 10 },
] as const;
/** The last seven digits stand as a number of nine decimal digits that never begins with 0. */
const TAIL_DIGITS = 7;
const TAIL_FROM = 100_000_000;

/** Length of a packed id. */
export const ID_CHARS = 30;

/** Every number of two digits to a base, as text: whole numbers as the language converts them are several times dearer. */
const twoDigits = (base: number): readonly string[] =>
  Array.from({ length: base * base }, (_, value) => value.toString(base).padStart(2, '0'));
const PAIRS = { 16: twoDigits(16), 36: twoDigits(36) } as const;

/**
 * A uuid as 30 characters, as Redis keeps it. The last nine are random bits as a number that the scripts can use as it
 * stands, without converting it: a set of such numbers takes four bytes a member. The sixteen raw bytes would save more
 * memory, and no reply would be text.
 */
export function packId(uuid: string): string {
  const hex = uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24);
  let [packed, at] = ['', 0];
  for (const { digits, chars } of PIECES) {
    packed += written(read(hex, at, digits, 16), 36, chars);
    at += digits;
  }
  return packed + String(TAIL_FROM + read(hex, at, TAIL_DIGITS, 16));
}

export function unpackId(packed: string): string {
  let [hex, at] = ['', 0];
  for (const { digits, chars } of PIECES) {
    hex += written(read(packed, at, chars, 36), 16, digits);
    at += chars;
  }
  hex += written(Number(packed.slice(at)) - TAIL_FROM, 16, TAIL_DIGITS);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The number that these digits and small letters mean. */
function read(text: string, from: number, digits: number, base: 16 | 36): number {
  let value = 0;
  for (let i = from; i < from + digits; i += 1) {
    const code = text.charCodeAt(i);
    value = value * base + (code < 58 ? code - 48 : code - 87);
  }
  return value;
}

/** A number below 2^53 with so many digits. */
function written(value: number, base: 16 | 36, digits: number): string {
  const pairs = PAIRS[base];
  let [text, left] = ['', value];
  for (let i = digits; i > 1; i -= 2) {
    const rest = Math.floor(left / (base * base));
    text = (pairs[left - rest * base * base] ?? '') + text;
    left = rest;
  }
  return digits % 2 === 0 ? text : left.toString(base) + text;
}
