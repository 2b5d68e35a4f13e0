import { DomainError, type Page, type PageRequest } from '@libs/kernel';

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Lists here are in order of creation; a cursor is the id of a row. @throws DomainError INVALID_INPUT */
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
