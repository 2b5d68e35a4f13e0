import { checkCursors, newId, toPage, type PageRequest } from './index';

// A list of ten, read as a repository reads it: one row more than was asked for, from the side of the cursor.
function read({ limit, after, before }: PageRequest): number[] {
  const all = Array.from({ length: 10 }, (_, i) => i);
  if (after === undefined && before !== undefined) {
    return all
      .filter((row) => row < Number(before))
      .reverse()
      .slice(0, limit + 1);
  }
  return all.filter((row) => row > Number(after ?? -1) && row < Number(before ?? 10)).slice(0, limit + 1);
}

describe('a page', () => {
  it.each<[PageRequest, number[], boolean, boolean]>([
    [{ limit: 3 }, [0, 1, 2], true, false],
    [{ limit: 3, after: '2' }, [3, 4, 5], true, true],
    [{ limit: 3, after: '6' }, [7, 8, 9], false, true],
    [{ limit: 3, before: '6' }, [3, 4, 5], true, true],
    [{ limit: 3, before: '3' }, [0, 1, 2], true, false],
    [{ limit: 20 }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], false, false],
  ])('of %j is in the order of the list and knows what stands beside it', (request, rows, hasNext, hasPrevious) => {
    expect(toPage(read(request), request)).toEqual({ rows, hasNext, hasPrevious });
  });

  it('takes ids as cursors, and names each that is none', () => {
    expect(() => {
      checkCursors({ limit: 1, after: newId(), before: newId() });
    }).not.toThrow();
    expect(() => {
      checkCursors({ limit: 1, after: 'x', before: 'y' });
    }).toThrow(
      expect.objectContaining({
        issues: [expect.objectContaining({ path: ['after'] }), expect.objectContaining({ path: ['before'] })],
      }) as Error,
    );
  });
});
