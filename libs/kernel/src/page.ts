import { DomainError } from './domain-error';
import { isUuid } from './ids';

/** A page request after validation: at most 100 rows, after or before an opaque cursor. */
export interface PageRequest {
  readonly limit: number;
  readonly after?: string;
  readonly before?: string;
}

/** A page of rows in list order, with whether more stand on either side. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}

/** For lists in order of creation, whose cursors are ids of rows. @throws DomainError INVALID_INPUT (after, before) */
export function checkCursors(page: PageRequest): void {
  DomainError.throwIfAny(
    (['after', 'before'] as const)
      .filter((side) => page[side] !== undefined && !isUuid(page[side]))
      .map((side) => ({ code: 'INVALID_INPUT', message: 'Not a cursor of this list.', path: [side] })),
  );
}

export function isBackwards({ after, before }: PageRequest): boolean {
  return after === undefined && before !== undefined;
}

/** The page out of one row more than was asked for. */
export function toPage<Row>(rows: readonly Row[], request: PageRequest): Page<Row> {
  const more = rows.length > request.limit;
  const kept = rows.slice(0, request.limit);
  return isBackwards(request)
    ? { rows: kept.reverse(), hasNext: true, hasPrevious: more }
    : { rows: kept, hasNext: more || request.before !== undefined, hasPrevious: request.after !== undefined };
}
