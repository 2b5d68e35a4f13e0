import { UsageProblem } from '../tools/local-stack/stack-problem';

/** Every measure of the table, in its order. */
export const BENCH_IDS = [
  'B1',
  'B2',
  'B3',
  'B4',
  'B5',
  'B6',
  'B7',
  'B8',
  'B9',
  'B10',
  'B11',
  'B12',
  'B13',
  'B14',
  'B16',
  'B17',
] as const;

export type BenchId = (typeof BENCH_IDS)[number];

export interface BenchArguments {
  readonly only: readonly BenchId[];
  /** Length of one measured slice. */
  readonly seconds: number;
  readonly slices: number;
  /** Full lengths where the short form shortens: kills, soak, held snapshot, ten million rows. */
  readonly long: boolean;
  readonly json: boolean;
  readonly writeResults: boolean;
  readonly seed: number;
  readonly data: string | undefined;
}

const numbers = new Map([
  ['--seconds', { field: 'seconds', min: 2, max: 600 }],
  ['--slices', { field: 'slices', min: 1, max: 20 }],
  ['--seed', { field: 'seed', min: 0, max: 2_147_483_647 }],
] as const);

const switches: ReadonlyMap<string, Partial<BenchArguments>> = new Map([
  ['--json', { json: true }],
  ['--long', { long: true }],
  ['--write-results', { writeResults: true }],
]);

const known = ['--only', '--data', ...numbers.keys(), ...switches.keys()];

const defaults: BenchArguments = {
  only: BENCH_IDS,
  seconds: 8,
  slices: 3,
  long: false,
  json: false,
  writeResults: false,
  seed: 1,
  data: undefined,
};

/**
 * Reads the arguments of `npm run bench`; `--only B1` and `--only=B1` are the same.
 * @throws UsageProblem naming the argument that is unknown, incomplete or out of range
 */
export function parseBenchArguments(args: readonly string[]): BenchArguments {
  let parsed = defaults;
  for (let position = 0; position < args.length; position += 1) {
    const argument = args[position] ?? '';
    const [name, inline] = splitOnce(argument);
    const value = () => inline ?? args[++position];
    const flag = switches.get(name);
    const number = numbers.get(name as '--seconds');
    if (flag !== undefined) {
      if (inline !== undefined) throw new UsageProblem(`${name} takes no value, got "${argument}"`);
      parsed = { ...parsed, ...flag };
    } else if (number !== undefined) parsed = { ...parsed, [number.field]: readNumber(name, value(), number) };
    else if (name === '--only') parsed = { ...parsed, only: readIds(value()) };
    else if (name === '--data') parsed = { ...parsed, data: readFolder(value()) };
    else
      throw new UsageProblem(`unknown option "${argument}"; known are ${known.join(', ')} (npm run bench -- --help)`);
  }
  if (parsed.writeResults && parsed.only.length < BENCH_IDS.length)
    throw new UsageProblem('--write-results writes the page of a whole run: leave --only away');
  return parsed;
}

function splitOnce(argument: string): [string, string?] {
  const at = argument.indexOf('=');
  return at === -1 ? [argument] : [argument.slice(0, at), argument.slice(at + 1)];
}

function readIds(text: string | undefined): BenchId[] {
  const wanted = (text ?? '')
    .split(',')
    .map((id) => id.trim().toUpperCase())
    .filter((id) => id !== '');
  if (wanted.length === 0) throw new UsageProblem('--only needs names of measures, for example --only B1,B7');
  const unknown = wanted.filter((id) => !BENCH_IDS.some((known) => known === id));
  if (unknown.length > 0)
    throw new UsageProblem(`--only: unknown ${unknown.join(', ')}; the measures are ${BENCH_IDS.join(', ')}`);
  return BENCH_IDS.filter((id) => wanted.includes(id));
}

function readFolder(text: string | undefined): string {
  if (text === undefined || text === '' || text.startsWith('-'))
    throw new UsageProblem('--data needs the path of a folder');
  return text;
}

function readNumber(name: string, text: string | undefined, { min, max }: { min: number; max: number }): number {
  if (text === undefined) throw new UsageProblem(`${name} needs a number, for example ${name} ${min}`);
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageProblem(`${name} must be a whole number from ${min} to ${max}, got "${text}"`);
}
