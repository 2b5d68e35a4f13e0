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

/**
 * A uuid as 30 characters, as Redis keeps it. The last nine are random bits as a number that the scripts can use as it
 * stands, without converting it: a set of such numbers takes four bytes a member. The sixteen raw bytes would save more
 * memory, and no reply would be text.
 */
export function packId(uuid: string): string {
  const hex = uuid.replaceAll('-', '');
  let [packed, at] = ['', 0];
  for (const { digits, chars } of PIECES) {
    packed += Number.parseInt(hex.slice(at, at + digits), 16)
      .toString(36)
      .padStart(chars, '0');
    at += digits;
  }
  return packed + String(TAIL_FROM + Number.parseInt(hex.slice(at), 16));
}

export function unpackId(packed: string): string {
  let [hex, at] = ['', 0];
  for (const { digits, chars } of PIECES) {
    hex += Number.parseInt(packed.slice(at, at + chars), 36)
      .toString(16)
      .padStart(digits, '0');
    at += chars;
  }
  hex += (Number(packed.slice(at)) - TAIL_FROM).toString(16).padStart(TAIL_DIGITS, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
