/** One encoded word: charset (with an optional language), encoding, text. RFC 2047, section 2. */
const WORD = /=\?([A-Za-z0-9_-]+)(?:\*[A-Za-z0-9-]+)?\?([BbQq])\?([^?\s]*)\?=/g;
/** White space between two encoded words belongs to neither (section 6.2). */
const BETWEEN = /(=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=)[ \t]+(?==\?[^?\s]+\?[BbQq]\?[^?\s]*\?=)/g;

/**
 * A header field as a person reads it: encoded words decoded, for showing only. What cannot be decoded stays as it is
 * written, and nothing that disturbs a line or a terminal comes out.
 */
export function decodedWords(field: string): string {
  return field
    .replace(BETWEEN, '$1')
    .replace(WORD, (written: string, charset: string, encoding: string, text: string) => {
      try {
        const bytes = encoding.toUpperCase() === 'B' ? Buffer.from(text, 'base64') : quoted(text);
        return new TextDecoder(charset, { fatal: true }).decode(bytes);
      } catch {
        return written;
      }
    })
    .replace(/\p{Cc}|(?!\u200d)\p{Cf}|\p{Surrogate}/gu, ' ');
}

/** The Q encoding (section 4.2). */
function quoted(text: string): Buffer {
  const plain = text.replaceAll('_', ' ');
  return Buffer.from(
    plain.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}
