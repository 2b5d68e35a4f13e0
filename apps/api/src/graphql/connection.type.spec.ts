import { DomainError } from '@libs/kernel';
import { pageRequest, toConnection, toCursor } from './connection.type';

const id = '01890000-0000-7000-8000-000000000001';
const refused = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof DomainError ? error.issues[0].path?.[0] : 'another error';
  }
};

describe('a page', () => {
  it('is the first fifty rows unless asked otherwise', () => {
    expect(pageRequest({}, 'newest-first')).toEqual({ limit: 50, atEnd: false });
    expect(pageRequest({ first: null, after: null }, 'newest-first')).toEqual({ limit: 50, atEnd: false });
  });

  it('goes on behind a cursor, or ends before one', () => {
    expect(pageRequest({ first: 3, after: toCursor(id) }, 'newest-first')).toEqual({
      limit: 3,
      atEnd: false,
      after: id,
    });
    expect(pageRequest({ last: 3, before: toCursor(id) }, 'newest-first')).toEqual({
      limit: 3,
      atEnd: false,
      before: id,
    });
  });

  it('is the end of the list for `last` alone, in the order of the list', () => {
    expect(pageRequest({ last: 3 }, 'newest-first')).toMatchObject({
      before: expect.stringMatching(/^0{8}-/) as string,
      atEnd: true,
    });
    expect(pageRequest({ last: 3 }, 'oldest-first')).toMatchObject({
      before: expect.stringMatching(/^f{8}-/) as string,
      atEnd: true,
    });
    const page = { rows: ['x'], hasNext: true, hasPrevious: false };
    expect(
      toConnection(
        pageRequest({ last: 1 }, 'newest-first'),
        page,
        (row) => row,
        (row) => row,
      ).pageInfo.hasNextPage,
    ).toBe(false);
  });

  it('is refused with the name of the argument that is wrong', () => {
    expect(refused(() => pageRequest({ first: 0 }, 'newest-first'))).toBe('first');
    expect(refused(() => pageRequest({ first: 101 }, 'newest-first'))).toBe('first');
    expect(refused(() => pageRequest({ last: -1 }, 'newest-first'))).toBe('last');
    expect(refused(() => pageRequest({ first: 1, last: 1 }, 'newest-first'))).toBe('last');
    expect(refused(() => pageRequest({ after: id }, 'newest-first'))).toBe('after');
    expect(refused(() => pageRequest({ before: toCursor(id) }, 'newest-first'))).toBe('before');
    expect(refused(() => pageRequest({ last: 1, before: '???' }, 'newest-first'))).toBe('before');
  });
});
