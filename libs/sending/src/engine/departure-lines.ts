import type { SendingAccountId } from '@libs/kernel';

interface Line<Item> {
  readonly waiting: Item[];
  underWay: number;
}

/**
 * What is about to start, in one line for each account, of which no more is under way than finds a connection. What waits
 * here is neither composed nor signed: that is dropped again before a collection of garbage has to look at it.
 */
export class DepartureLines<Item> {
  private readonly lines = new Map<SendingAccountId, Line<Item>>();
  /** Those in which something waits. */
  private readonly busy = new Set<Line<Item>>();

  /** `most`: requests of one account under way at once. */
  constructor(private readonly most: number) {}

  add(account: SendingAccountId, item: Item): void {
    let line = this.lines.get(account);
    if (line === undefined) {
      line = { waiting: [], underWay: 0 };
      this.lines.set(account, line);
    }
    line.waiting.push(item);
    this.busy.add(line);
  }

  /** Up to so many of those that may start now, in the order of their account: they are under way until each has `ended`. */
  take(upTo: number): Item[] {
    const taken: Item[] = [];
    for (const line of this.busy) {
      const free = Math.min(upTo - taken.length, this.most - line.underWay);
      if (free <= 0) continue;
      const next = line.waiting.splice(0, free);
      line.underWay += next.length;
      taken.push(...next);
      if (line.waiting.length === 0) this.busy.delete(line);
    }
    return taken;
  }

  /** One of an account's is under way no more. True when another waits for that. */
  ended(account: SendingAccountId): boolean {
    const line = this.lines.get(account);
    if (line === undefined) return false;
    line.underWay -= 1;
    if (line.underWay === 0 && line.waiting.length === 0) this.lines.delete(account);
    return line.waiting.length > 0;
  }
}
