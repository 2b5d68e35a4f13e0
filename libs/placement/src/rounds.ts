/**
 * Goes through what waits, a page at a time, and begins anew at its end: what cannot be done for days keeps nothing behind it
 * waiting.
 */
export class Rounds<Row> {
  private last: Row | undefined;

  constructor(private readonly size: number) {}

  /** @param read the page after that row; without one the first */
  async next(read: (limit: number, after: Row | undefined) => Promise<Row[]>): Promise<Row[]> {
    const rows = await read(this.size, this.last);
    this.last = rows.length < this.size ? undefined : rows.at(-1);
    return rows;
  }
}
