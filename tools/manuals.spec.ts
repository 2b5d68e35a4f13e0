import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseBenchArguments } from '../bench/arguments';
import { parseFaultArguments } from '../faults/arguments';
import { readArguments } from '../simulation/arguments';
import { parseArguments } from './local-stack/arguments';

describe.each([
  ['npm start', 'tools/local-stack', parseArguments],
  ['npm run bench', 'bench', parseBenchArguments],
  ['npm run faults', 'faults', (args: readonly string[]) => parseFaultArguments(args, [])],
  ['npm run simulate', 'simulation', readArguments],
])('the options of %s', (command, folder, parse) => {
  it('are those of its manual, and a wrong one is told all of them', () => {
    const manual = readFileSync(path.join(__dirname, '..', folder, 'manual.mjs'), 'utf8');
    const shown = [...manual.matchAll(/^ {2}(--[a-z0-9-]+)/gm)].map(([, option]) => option);
    const [, known] = /^unknown option "--fast"; known are (.*) \(/.exec(refusal(parse, '--fast')) ?? [];
    expect([...(known ?? '').split(', '), '--help'].sort()).toEqual(shown.sort());
  });

  it('end with the command that shows the manual', () => {
    expect(refusal(parse, '--fast')).toMatch(`(${command} -- --help)`);
  });
});

function refusal(parse: (args: readonly string[]) => unknown, argument: string): string {
  try {
    parse([argument]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
}
