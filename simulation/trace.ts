const KEPT = 60;
const PRIME = 0x01000193;

/** What happened in a run, in order: the last lines for a failure's report, and a hash that two equal runs share. */
export class Trace {
  private readonly last: string[] = [];
  private readonly names = new Map<string, string>();
  private readonly counts = new Map<string, number>();
  private state = 0x811c9dc5;

  /** @param print gets every line; undefined keeps the last few only */
  constructor(
    private readonly clock: () => number,
    private readonly print: ((line: string) => void) | undefined,
  ) {}

  note(what: string): void {
    const line = `${(this.clock() / 1000).toFixed(3).padStart(11)}  ${what}`;
    for (let i = 0; i < line.length; i += 1) this.state = Math.imul(this.state ^ line.charCodeAt(i), PRIME);
    this.last.push(line);
    if (this.last.length > KEPT) this.last.shift();
    this.print?.(line);
  }

  /** Short names instead of ids: readable, and the same in every run of a seed. */
  name(kind: string, id: string): string {
    const known = this.names.get(id);
    if (known !== undefined) return known;
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    if (this.names.size > 200_000) this.names.clear();
    this.names.set(id, `${kind}${String(count)}`);
    return `${kind}${String(count)}`;
  }

  get tail(): readonly string[] {
    return [...this.last];
  }

  get hash(): string {
    return (this.state >>> 0).toString(16).padStart(8, '0');
  }
}
