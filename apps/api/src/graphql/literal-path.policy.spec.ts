import { buildSchema, parse, validate } from 'graphql';
import { literalPath } from './literal-path.policy';

const schema = buildSchema(`
  type Query { find(first: Int, in: Where, all: [[Where!]!]): Int }
  input Where { n: Int, list: [Int!], inner: Where, needs: Other }
  input Other { must: Int! }`);
const pathsOf = (document: string) => validate(schema, parse(document)).map((error) => literalPath(error).join('.'));

describe('the place of a value that is written into a document', () => {
  it.each([
    ['{ find(first: "x") }', 'first'],
    ['{ find(in: { n: 1 }, first: "x") }', 'first'],
    ['{ find(first: 1, in: { list: [1, 2], n: "x" }) }', 'in.n'],
    ['{ find(in: { inner: { inner: { n: "x" } } }) }', 'in.inner.inner.n'],
    ['{ find(in: { list: [1, 2, "x"] }) }', 'in.list.2'],
    ['{ find(all: [[{ n: 1 }, { n: 2 }], [{ n: 3, list: [4] }, { list: [5], n: "x" }]]) }', 'all.1.1.n'],
    [
      'query ($n: Int, $l: [Int!]) { find(first: $n, in: { list: $l, inner: { list: [$n, "x"] } }) }',
      'in.inner.list.1',
    ],
    ['{ find(in: { needs: {} }) }', 'in.needs'],
    ['{ find(in: { other: 1 }) }', 'in.other'],
    ['{ a: find(first: 1) find(first: "x") }', 'first'],
  ])('is told from its argument on: %s', (document, path) => {
    expect(pathsOf(document)).toContain(path);
  });

  it.each(['{ found }', '{ find { a } }', '{ find(last: 1) }', 'query ($n: Int = "x") { find(first: $n) }'])(
    'is nowhere when it is none of an argument: %s',
    (document) => {
      expect(pathsOf(document)[0]).toBe('');
    },
  );

  it('is nowhere for what graphql did not say', () => {
    expect(literalPath(new Error('x'))).toEqual([]);
  });
});
