import { parse } from 'graphql';
import { excessOf, measureDocument } from './document-limits.policy';

const measure = (text: string) => measureDocument(parse(text));

describe('the measures of a document', () => {
  it('count fields for depth, and fragments for nothing', () => {
    const plain = measure('{ a { b { c } } }');
    const split = measure(
      '{ a { ...x } } fragment x on A { ...y } fragment y on A { b { ...z } } fragment z on B { c }',
    );
    const inline = measure('{ a { ... on A { ... { b { c } } } } }');
    expect([plain.depth, split.depth, inline.depth]).toEqual([3, 3, 3]);
  });

  it('measure introspection on its own, for its standard query is deep', () => {
    const measures = measure('{ __schema { types { fields { type { ofType { name } } } } } a { b } }');
    expect([measures.depth, measures.introspectionDepth]).toEqual([2, 6]);
  });

  it('count aliases, directives, root fields and mutations, wherever they hide', () => {
    const measures = measure('mutation @d { x: a @d ...f } fragment f on M { y: b @d c }');
    expect(measures).toMatchObject({ aliases: 2, directives: 3, rootFields: 3, mutations: 3 });
  });

  it('end for fragments in circles and for bombs of them', () => {
    expect(measure('{ ...a } fragment a on Q { b ...a }').depth).toBe(1);
    const bomb = Array.from({ length: 40 }, (_, i) => `fragment f${i} on Q { ...f${i + 1} ...f${i + 1} }`).join(' ');
    expect(excessOf(measure(`{ ...f0 } ${bomb} fragment f40 on Q { a }`))).toContain('fields at the root');
  });

  it('are within the limits for what people write, and the first excess is named with both numbers', () => {
    expect(excessOf(measure('{ viewer { mode } messages { nodes { id } } }'))).toBeUndefined();
    expect(excessOf(measure(`{ ${'a { '.repeat(13)} b ${'}'.repeat(13)} }`))).toBe(
      'At most 12 levels of fields; found 14.',
    );
  });
});
