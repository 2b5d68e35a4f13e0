import { UsageProblem } from './stack-problem';

export interface StackArguments {
  /** Exit after the summary instead of staying up. */
  readonly once: boolean;
  /** One JSON object as the last line of stdout, everything else on stderr. */
  readonly json: boolean;
  /** Messages of the demo day. */
  readonly messages: number;
  /** Seed of everything random in the demo and the simulator. */
  readonly seed: number;
  /** How often the worker is killed with SIGKILL during the demo. */
  readonly killWorker: number;
  /** Worker processes. */
  readonly workers: number;
  /** Three masters of a Redis Cluster instead of one server. */
  readonly redisCluster: boolean;
  /** Play the demo day even if this data folder has seen one: asked for by --once or by an option about the day. */
  readonly playDay: boolean;
  /** Delete the data of the last run first. */
  readonly reset: boolean;
  /** Where everything is kept, when not in `.data`. */
  readonly data: string | undefined;
  /** Port of the api, when the user insists on one. */
  readonly port: number | undefined;
}

interface NumberOption {
  readonly field: 'messages' | 'seed' | 'killWorker' | 'port' | 'workers';
  readonly min: number;
  readonly max: number;
}

const numberOptions: ReadonlyMap<string, NumberOption> = new Map([
  ['--messages', { field: 'messages', min: 1, max: 1_000_000 }],
  ['--seed', { field: 'seed', min: 0, max: 2_147_483_647 }],
  ['--kill-worker', { field: 'killWorker', min: 0, max: 100 }],
  ['--workers', { field: 'workers', min: 1, max: 8 }],
  ['--port', { field: 'port', min: 1, max: 65_535 }],
]);

/** Asking for one of these asks for a day that shows it. */
const aboutTheDay: ReadonlySet<string> = new Set(['messages', 'seed', 'killWorker']);

const switches: ReadonlyMap<string, Partial<StackArguments>> = new Map([
  ['--once', { once: true, playDay: true }],
  ['--json', { json: true }],
  ['--redis-cluster', { redisCluster: true }],
  ['--keep', { reset: false }],
  ['--reset', { reset: true }],
]);

const known = [...switches.keys(), ...numberOptions.keys(), '--data'];

const defaults: StackArguments = {
  once: false,
  json: false,
  messages: 10_200,
  seed: 1,
  killWorker: 0,
  workers: 1,
  redisCluster: false,
  playDay: false,
  reset: false,
  data: undefined,
  port: undefined,
};

/**
 * Reads the arguments of `npm start`. Numbers may follow as `--seed 7` or `--seed=7`; the last of two contradicting
 * options wins, except `--keep` with `--reset`, because guessing there could delete data.
 * @throws UsageProblem naming the argument that is unknown, incomplete or out of range
 */
export function parseArguments(args: readonly string[]): StackArguments {
  if (args.includes('--keep') && args.includes('--reset')) {
    throw new UsageProblem('--keep and --reset contradict each other; give one of them');
  }
  let parsed = defaults;
  for (let position = 0; position < args.length; position += 1) {
    const argument = args[position] ?? '';
    const [name, inline] = splitOnce(argument);
    const flag = switches.get(argument);
    const option = numberOptions.get(name);
    if (flag !== undefined) {
      parsed = { ...parsed, ...flag };
    } else if (name === '--data') {
      parsed = { ...parsed, data: readFolder(inline ?? args[++position]) };
    } else if (option !== undefined) {
      const text = inline ?? args[++position];
      parsed = {
        ...parsed,
        [option.field]: readNumber(name, text, option),
        ...(aboutTheDay.has(option.field) ? { playDay: true } : {}),
      };
    } else if (switches.has(name)) {
      throw new UsageProblem(`${name} takes no value, got "${argument}"`);
    } else {
      throw new UsageProblem(`unknown option "${argument}"; known are ${known.join(', ')} (npm start -- --help)`);
    }
  }
  return parsed;
}

function splitOnce(argument: string): [string, string?] {
  const at = argument.indexOf('=');
  return at === -1 ? [argument] : [argument.slice(0, at), argument.slice(at + 1)];
}

function readFolder(text: string | undefined): string {
  if (text === undefined || text === '' || text.startsWith('-'))
    throw new UsageProblem('--data needs the path of a folder');
  return text;
}

function readNumber(name: string, text: string | undefined, { min, max }: NumberOption): number {
  if (text === undefined) throw new UsageProblem(`${name} needs a number, for example ${name} ${min}`);
  // Number() alone would read "", " 7", "0x10" and "1e3".
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageProblem(`${name} must be a whole number from ${min} to ${max}, got "${text}"`);
}
