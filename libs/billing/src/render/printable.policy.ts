/*
 * Which letters the PDF's font (DejaVu Sans Condensed) has. By scripts, so that nobody has to open the font to know: what is
 * in none of them prints as a box.
 */

const OTHERS =
  /[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Armenian}\p{Script=Georgian}\p{Script=Common}\p{Script=Inherited}]|\p{Emoji_Presentation}/u;

/** Whether every letter of the text can be read in a PDF. */
export function isPrintable(text: string): boolean {
  return !OTHERS.test(text);
}
