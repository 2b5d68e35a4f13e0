import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FAULTS } from './catalogue';

/** `| \`name\` | what is done | n s |` -> name, what is done, n */
function documented(): [string, string, number][] {
  const page = readFileSync(path.join(__dirname, '..', 'docs', 'faults.md'), 'utf8');
  const rows = page.matchAll(/^\| `([a-z0-9-]+)` +\| (.+?) +\| +(\d+) s \|$/gm);
  return [...rows].map(([, name = '', about = '', seconds = '']) => [name, about, Number(seconds)]);
}

describe('the faults', () => {
  it('are in docs/faults.md, each with what is done and what it may cost, in their order', () => {
    expect(documented()).toEqual(FAULTS.map(({ name, about, allow }) => [name, about, allow.recoverySeconds]));
  });

  it('have names of their own', () => {
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  });
});
