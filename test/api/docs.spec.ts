import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildSchema, parse, validate } from 'graphql';

const inDocs = readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((file) => `docs/${file}`);
const files = ['README.md', 'CONTRIBUTING.md', 'bench/README.md', ...inDocs.filter((file) => file.endsWith('.md'))];
const pages = files.map((file) => [file, readFileSync(file, 'utf8')] as const);
const schemas = ['customer', 'admin'].map((name) =>
  buildSchema(readFileSync(`apps/api/schema.${name}.graphql`, 'utf8')),
);

describe.each(pages)('%s', (file, text) => {
  it('shows documents that one of the two endpoints takes', () => {
    for (const [, document = ''] of text.matchAll(/```graphql\n([\s\S]*?)```/g)) {
      const errors = schemas.map((schema) => validate(schema, parse(document)).map((error) => error.message));
      expect(errors.some((list) => list.length === 0) ? [] : errors).toEqual([]);
    }
  });

  it('shows JSON that is JSON, and links that lead somewhere', () => {
    for (const [, json = ''] of text.matchAll(/```json\n([\s\S]*?)```/g))
      expect(() => JSON.parse(json) as unknown).not.toThrow();
    for (const [, link = ''] of text.matchAll(/\]\(([^)#]+)\)/g))
      expect([link, existsSync(path.join(path.dirname(file), link))]).toEqual([link, true]);
  });
});
