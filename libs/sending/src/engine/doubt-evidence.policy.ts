import type { Watermark } from './in-doubt.policy';
import { groupBy } from './side-by-side';
import type { DoubtRow, SentThrough } from './resolver.repository';

/** Doubts that are judged by the same neighbours: those whose claims were made in the same minute. */
export interface DoubtGroup {
  readonly from: Date;
  readonly to: Date;
  readonly doubts: readonly DoubtRow[];
}

const MINUTE_MS = 60_000;

/** Which attempts are neighbours of a doubt. */
export interface Neighbourhood {
  /** How long before its claim they may have been claimed, milliseconds. */
  readonly beforeMs: number;
  /** How long after its end. */
  readonly afterMs: number;
  /** What is younger than this may not have been confirmed yet. */
  readonly until: Date;
}

/** Groups doubts by the minute of their claims, each with the span in which its neighbours were claimed. */
export function groupDoubts(doubts: readonly DoubtRow[], { beforeMs, afterMs, until }: Neighbourhood): DoubtGroup[] {
  return [...groupBy(doubts, ({ startedAt }) => Math.floor(startedAt.getTime() / MINUTE_MS)).values()].map((group) => ({
    from: new Date(Math.min(...group.map(({ startedAt }) => startedAt.getTime())) - beforeMs),
    to: new Date(Math.min(until.getTime(), Math.max(...group.map(({ endedAt }) => endedAt.getTime())) + afterMs)),
    doubts: group,
  }));
}

/** What was sent around one doubt, by its own configuration set and by its account. */
export function watermarkOf(doubt: DoubtRow, sent: readonly SentThrough[]): Watermark {
  const watermark = { setSent: 0, setConfirmed: 0, accountSent: 0, accountConfirmed: 0 };
  for (const set of sent) {
    if (set.sendingAccountId !== doubt.sendingAccountId) continue;
    watermark.accountSent += set.sent;
    watermark.accountConfirmed += set.confirmed;
    if (set.tenantId !== doubt.tenantId || set.stream !== doubt.stream) continue;
    watermark.setSent += set.sent;
    watermark.setConfirmed += set.confirmed;
  }
  return watermark;
}
