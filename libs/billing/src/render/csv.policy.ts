/** A cell that a spreadsheet reads as text: one that would begin a formula is disarmed by an apostrophe. */
export function textCell(text: string): string {
  return quoted(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
}

/** Numbers and times of our own making: never a formula. */
export function plainCell(text: string): string {
  return quoted(text);
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lines end as RFC 4180 says. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.join(',')}\r\n`;
}
