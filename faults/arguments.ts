import { UsageProblem } from '../tools/local-stack/stack-problem';

export interface FaultArguments {
  /** Names of faults; all of them when undefined. */
  readonly only: readonly string[] | undefined;
  readonly list: boolean;
  readonly json: boolean;
  readonly seed: number;
  readonly workers: number;
  readonly redis: 'single' | 'cluster';
  readonly data: string | undefined;
}

const defaults: FaultArguments = {
  only: undefined,
  list: false,
  json: false,
  seed: 1,
  workers: 1,
  redis: 'single',
  data: undefined,
};

const switches: ReadonlyMap<string, Partial<FaultArguments>> = new Map([
  ['--list', { list: true }],
  ['--json', { json: true }],
  // As `npm start` calls it.
  ['--redis-cluster', { redis: 'cluster' }],
]);

const known = ['--only', '--seed', '--workers', '--redis', '--data', ...switches.keys()];

/**
 * Reads the arguments of `npm run faults`; `--seed 7` and `--seed=7` are the same.
 * @param faults names of all faults
 * @throws UsageProblem naming the argument that is unknown, incomplete or out of range
 */
export function parseFaultArguments(args: readonly string[], faults: readonly string[]): FaultArguments {
  let parsed = defaults;
  for (let position = 0; position < args.length; position += 1) {
    const argument = args[position] ?? '';
    const [name, inline] = splitOnce(argument);
    const value = () => inline ?? args[++position];
    switch (name) {
      case '--only':
        parsed = { ...parsed, only: readNames(value(), faults) };
        break;
      case '--seed':
        parsed = { ...parsed, seed: readNumber(name, value(), 0, 2_147_483_647) };
        break;
      case '--workers':
        parsed = { ...parsed, workers: readNumber(name, value(), 1, 4) };
        break;
      case '--redis':
        parsed = { ...parsed, redis: readRedis(value()) };
        break;
      case '--data':
        parsed = { ...parsed, data: readFolder(value()) };
        break;
      default:
        parsed = { ...parsed, ...readSwitch(name, argument) };
    }
  }
  return parsed;
}

function splitOnce(argument: string): [string, string?] {
  const at = argument.indexOf('=');
  return at === -1 ? [argument] : [argument.slice(0, at), argument.slice(at + 1)];
}

function readSwitch(name: string, argument: string): Partial<FaultArguments> {
  const read = switches.get(name);
  if (read === undefined) {
    throw new UsageProblem(`unknown option "${argument}"; known are ${known.join(', ')} (npm run faults -- --help)`);
  }
  if (name !== argument) throw new UsageProblem(`${name} takes no value, got "${argument}"`);
  return read;
}

function readNames(text: string | undefined, faults: readonly string[]): string[] {
  const wanted = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (wanted.length === 0)
    throw new UsageProblem('--only needs names of faults, for example --only kill-worker,flushall');
  const unknown = wanted.filter((name) => !faults.includes(name));
  if (unknown.length > 0) {
    throw new UsageProblem(`--only: there is no fault ${unknown.join(', ')}; the faults are ${faults.join(', ')}`);
  }
  return faults.filter((name) => wanted.includes(name));
}

function readRedis(text: string | undefined): 'single' | 'cluster' {
  if (text === 'single' || text === 'cluster') return text;
  throw new UsageProblem(`--redis must be single or cluster, got "${text ?? ''}"`);
}

function readFolder(text: string | undefined): string {
  if (text !== undefined && text !== '' && !text.startsWith('-')) return text;
  throw new UsageProblem('--data needs the path of a folder');
}

function readNumber(name: string, text: string | undefined, min: number, max: number): number {
  const value = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageProblem(`${name} must be a whole number from ${min} to ${max}, got "${text ?? ''}"`);
}
