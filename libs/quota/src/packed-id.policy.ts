/** Hexadecimal digits of a uuid per piece, and what a piece takes to base 36. */
const PIECES = [
  { digits: 10, chars: 8 },
  { digits: 11, chars: 9 },
  { digits: 11, chars: 9 },
] as const;

/**
 * A uuid as 26 characters, as Redis keeps it: ten bytes less each, and its last nine are a number the scripts can read.
 * The sixteen raw bytes would save ten more, and no reply would be text.
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
  return packed;
}

export function unpackId(packed: string): string {
  let [hex, at] = ['', 0];
  for (const { digits, chars } of PIECES) {
    hex += Number.parseInt(packed.slice(at, at + chars), 36)
      .toString(16)
      .padStart(digits, '0');
    at += chars;
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
