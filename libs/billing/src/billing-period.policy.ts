import { DomainError } from '@libs/kernel';

/** A calendar month in UTC, from its first moment to the first of the next month. */
export interface Period {
  /** `YYYY-MM` */
  readonly name: string;
  readonly start: Date;
  readonly end: Date;
}

/** A part of a period in which no price changes. */
export interface Span {
  readonly from: Date;
  readonly to: Date;
}

/** @throws DomainError INVALID_INPUT (period) for anything but `YYYY-MM` */
export function parsePeriod(name: string): Period {
  if (!/^20\d\d-(0[1-9]|1[0-2])$/.test(name)) {
    throw new DomainError({
      code: 'INVALID_INPUT',
      message: 'Expected a month as YYYY-MM, for example "2026-11".',
      path: ['period'],
    });
  }
  const start = new Date(`${name}-01T00:00:00.000Z`);
  const end = new Date(start);
  end.setUTCMonth(end.getUTCMonth() + 1);
  return { name, start, end };
}

/** The period cut at the given moments, in order and without gaps. */
export function cutAt(span: Span, moments: readonly Date[]): Span[] {
  const spans: Span[] = [];
  let from = span.from;
  for (const moment of moments) {
    if (moment <= from || moment >= span.to) continue;
    spans.push({ from, to: moment });
    from = moment;
  }
  return [...spans, { from, to: span.to }];
}

/** Milliseconds that two spans share. */
export function sharedMs(a: Span, b: Span): bigint {
  const from = a.from > b.from ? a.from : b.from;
  const to = a.to < b.to ? a.to : b.to;
  return to > from ? BigInt(to.getTime()) - BigInt(from.getTime()) : 0n;
}

/** The month, `YYYY-MM`, of a moment, UTC. */
export function monthOf(moment: Date): string {
  return moment.toISOString().slice(0, 7);
}

/** The month after `YYYY-MM`. */
export function nextPeriod(name: string): string {
  return parsePeriod(name).end.toISOString().slice(0, 7);
}

/** The month before `YYYY-MM`. */
export function previousPeriod(name: string): string {
  const start = new Date(parsePeriod(name).start);
  start.setUTCMonth(start.getUTCMonth() - 1);
  return start.toISOString().slice(0, 7);
}
