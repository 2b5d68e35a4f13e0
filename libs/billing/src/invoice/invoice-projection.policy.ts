import { cutAt, type Span } from '../billing-period.policy';
import { daysOfSegments, type PriceSegment } from '../price/price-segments.policy';
import type { SegmentUsage } from './invoice-draft.policy';

/** Usage since the days that are counted, in a part of the month in which one price is in force. */
export interface LiveUsage {
  readonly span: Span;
  readonly recipients: bigint;
}

/** The time that is not counted yet, cut where another segment's days begin. */
export function liveSpans(segments: readonly Span[], countedUntil: Date, now: Date): Span[] {
  if (countedUntil >= now) return [];
  return cutAt({ from: countedUntil, to: now }, startsOf(segments));
}

/** Each segment with what was used in its days since they were counted. */
export function withLive<Segment extends Span & SegmentUsage>(
  segments: readonly Segment[],
  live: readonly LiveUsage[],
): Segment[] {
  const starts = startsOf(segments);
  return segments.map((segment, index) => {
    const from = starts[index - 1];
    const to = starts[index];
    const own = live.filter(({ span }) => (!from || span.from >= from) && (!to || span.from < to));
    return { ...segment, recipients: own.reduce((sum, one) => sum + one.recipients, segment.recipients) };
  });
}

/**
 * What it comes to when the rest of the month goes on as it went: what is to come falls to the price in force last.
 * @param countedUntil until when the hours of IPs are known
 */
export function projected<Segment extends PriceSegment & SegmentUsage>(
  segments: readonly Segment[],
  countedUntil: Date,
  now: Date,
): Segment[] {
  const [first, last] = [segments.at(0), segments.at(-1)];
  if (!first || !last) return [];
  const toCome = (used: bigint, known: Date) => {
    const elapsed = ms(first.from, known);
    return elapsed <= 0n ? 0n : (used * ms(known, last.to)) / elapsed;
  };
  const total = (of: (segment: Segment) => bigint) => segments.reduce((sum, segment) => sum + of(segment), 0n);
  const recipients = toCome(
    total((segment) => segment.recipients),
    now,
  );
  const ipMs = toCome(
    total((segment) => segment.ipMs),
    countedUntil,
  );
  return segments.map((segment) =>
    segment === last
      ? { ...segment, recipients: segment.recipients + positive(recipients), ipMs: segment.ipMs + positive(ipMs) }
      : segment,
  );
}

/** When each segment's days begin, but the first's. */
function startsOf(segments: readonly Span[]): Date[] {
  return daysOfSegments(segments)
    .slice(1)
    .map((days) => new Date(`${days.from}T00:00:00.000Z`));
}

function ms(from: Date, to: Date): bigint {
  return BigInt(to.getTime()) - BigInt(from.getTime());
}

function positive(count: bigint) {
  return count > 0n ? count : 0n;
}
