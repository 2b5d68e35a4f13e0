import { performance } from 'node:perf_hooks';

/** Half of the second within which a revocation must be effective everywhere; the other half is for what is under way. */
const REMEMBERED_MS = 500;
const MOST = 20_000;

interface Lookup<Row> {
  readonly bornMs: number;
  readonly row: Promise<Row | undefined>;
}

/**
 * Answers of key look-ups, remembered for half a second, found or not, one query at a time per key. Time is taken
 * before the query starts and from a clock that nobody can set, so that no answer is ever used later than that. A
 * look-up that failed is forgotten at once and fails for its callers: nobody is let in on an old answer.
 */
export class RecentLookups<Row> {
  private readonly lookups = new Map<string, Lookup<Row>>();

  constructor(private readonly monotonicMs: () => number = () => performance.now()) {}

  find(digest: Buffer, query: () => Promise<Row | undefined>): Promise<Row | undefined> {
    const name = digest.toString('base64');
    const now = this.monotonicMs();
    const known = this.lookups.get(name);
    if (known && now - known.bornMs < REMEMBERED_MS) return known.row;

    const row = query();
    const lookup = { bornMs: now, row };
    // Deleting first moves a renewed entry to the end: the map stays in order of age.
    this.lookups.delete(name);
    this.lookups.set(name, lookup);
    row.catch(() => {
      if (this.lookups.get(name) === lookup) this.lookups.delete(name);
    });
    this.forgetOld(now);
    return row;
  }

  /** After a change in this very process, so that it is effective here at once. */
  clear(): void {
    this.lookups.clear();
  }

  get size(): number {
    return this.lookups.size;
  }

  private forgetOld(now: number): void {
    for (const [name, lookup] of this.lookups) {
      if (now - lookup.bornMs < REMEMBERED_MS && this.lookups.size <= MOST) return;
      this.lookups.delete(name);
    }
  }
}
