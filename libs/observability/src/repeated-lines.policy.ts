/** So many lines about one kind of trouble are written in one span; an outage says the same in every account and loop. */
const LINES = 3;
/** Monotonic milliseconds. */
const SPAN_MS = 10_000;
/** Kinds that are kept in mind; what an error says varies, but not without end. */
const MOST_KINDS = 1_000;
/** Errors of one kind begin alike; ids and places stand further behind. */
const SAME_UNTIL = 80;

interface Seen {
  since: number;
  lines: number;
  unsaid: number;
}

/** Keeps an outage from flooding the log: the first lines about a trouble are written, later ones counted. */
export class RepeatedLines {
  private readonly kinds = new Map<string, Seen>();

  /**
   * Whether a line is written. `unsaid` = how many like it were not since the last one that was.
   * @param nowMs monotonic milliseconds
   */
  admit(message: string, error: { readonly type: string; readonly message: string }, nowMs: number) {
    const kind = `${message}\n${error.type}\n${error.message.slice(0, SAME_UNTIL)}`;
    const seen = this.kinds.get(kind) ?? { since: nowMs, lines: 0, unsaid: 0 };
    if (nowMs - seen.since >= SPAN_MS) Object.assign(seen, { since: nowMs, lines: 0 });
    if (this.kinds.size >= MOST_KINDS) this.kinds.clear();
    this.kinds.set(kind, seen);
    if (seen.lines >= LINES) {
      seen.unsaid += 1;
      return { isWritten: false, unsaid: 0 };
    }
    const { unsaid } = seen;
    Object.assign(seen, { lines: seen.lines + 1, unsaid: 0 });
    return { isWritten: true, unsaid };
  }
}
