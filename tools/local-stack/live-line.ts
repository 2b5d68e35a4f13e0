/** How often a line is printed where it cannot be overwritten, in milliseconds. */
const PLAIN_EVERY_MS = 5_000;

/** A progress line: rewritten in place on a terminal, printed now and then into a file or pipe. */
export class LiveLine {
  private shown = false;
  private last = -PLAIN_EVERY_MS;

  constructor(private readonly out: NodeJS.WriteStream) {}

  show(line: string): void {
    if (this.out.isTTY) {
      this.out.write(`\r\u001b[2K${line.slice(0, this.out.columns - 1)}`);
      this.shown = true;
      return;
    }
    if (performance.now() - this.last < PLAIN_EVERY_MS) return;
    this.last = performance.now();
    this.out.write(`${line}\n`);
  }

  /** Leaves the line where it is, so that what follows starts on a new one. */
  finish(): void {
    if (this.shown) this.out.write('\n');
    this.shown = false;
  }
}
