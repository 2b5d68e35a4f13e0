import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FAULTS } from './catalogue';

const root = path.join(__dirname, '..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

/** `| 7 | what dies | what makes it good | `test/…` |` -> 7, test/… */
const ROWS = [...read('docs/testing.md').matchAll(/^\| +(\d+) \| .* \| `(test\/[a-z/-]+)` +\|$/gm)].map(
  ([, row, file]) => ({ row: Number(row), file: `${file ?? ''}.spec.ts` }),
);

/** Rows that a test names: `row 10 and 11: …` */
const named = (text: string) =>
  [...text.matchAll(/it\('row (\d+)(?: and (\d+))?:/g)].flatMap(([, one, other]) => [Number(one), Number(other)]);

describe('the crash matrix in docs/testing.md', () => {
  it('has thirty rows', () => {
    expect(ROWS.map(({ row }) => row)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  it.each(ROWS)('has a test by name for row $row', ({ row, file }) => {
    expect(named(read(file))).toContain(row);
  });

  it('is what the faults refer to, beside what docs/faults.md explains', () => {
    const explained = [...read('docs/faults.md').matchAll(/^\| (F\d+) /gm)].map(([, number = '']) => number);
    const named = FAULTS.flatMap(({ rows }) => rows.split(', '));
    const known = [...ROWS.map(({ row }) => String(row)), ...explained];
    expect(named.filter((one) => !known.includes(one))).toEqual([]);
    expect(explained.filter((one) => !named.includes(one))).toEqual([]);
  });
});
