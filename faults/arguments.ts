import { StackProblem } from '../tools/local-stack/stack-problem';

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

/**
 * Reads the arguments of `npm run faults`; `--seed 7` and `--seed=7` are the same.
 * @param known names of all faults
 * @throws StackProblem naming the argument that is unknown, incomplete or out of range
 */
export function parseFaultArguments(args: readonly string[], known: readonly string[]): FaultArguments {
  let parsed = defaults;
  for (let position = 0; position < args.length; position += 1) {
    const argument = args[position] ?? '';
    const [name, inline] = splitOnce(argument);
    const value = () => inline ?? args[++position];
    switch (name) {
      case '--only':
        parsed = { ...parsed, only: readNames(value(), known) };
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
        if (argument === '--list') parsed = { ...parsed, list: true };
        // As `npm start` calls it.
        else if (argument === '--redis-cluster') parsed = { ...parsed, redis: 'cluster' };
        else if (argument === '--json') parsed = { ...parsed, json: true };
        else throw new StackProblem(`unknown option "${argument}"; npm run faults -- --help lists the known ones`);
    }
  }
  return parsed;
}

function splitOnce(argument: string): [string, string?] {
  const at = argument.indexOf('=');
  return at === -1 ? [argument] : [argument.slice(0, at), argument.slice(at + 1)];
}

function readNames(text: string | undefined, known: readonly string[]): string[] {
  const wanted = (text ?? '').split(',').filter((name) => name !== '');
  if (wanted.length === 0)
    throw new StackProblem('--only needs names of faults, for example --only kill-worker,flushall');
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new StackProblem(`--only: there is no fault ${unknown.join(', ')}; npm run faults -- --list names all`);
  }
  return known.filter((name) => wanted.includes(name));
}

function readRedis(text: string | undefined): 'single' | 'cluster' {
  if (text === 'single' || text === 'cluster') return text;
  throw new StackProblem(`--redis must be single or cluster, got "${text ?? ''}"`);
}

function readFolder(text: string | undefined): string {
  if (text !== undefined && text !== '' && !text.startsWith('-')) return text;
  throw new StackProblem('--data needs the path of a folder');
}

function readNumber(name: string, text: string | undefined, min: number, max: number): number {
  const value = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new StackProblem(`${name} must be a whole number from ${min} to ${max}, got "${text ?? ''}"`);
}
