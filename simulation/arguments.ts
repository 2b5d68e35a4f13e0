import { ENGINE_FAULTS, isEngineFault, type EngineFault } from './broken-engine';

export interface SimulateArguments {
  readonly seeds: number;
  readonly from: number;
  /** One seed alone, for a replay. */
  readonly seed: number | undefined;
  readonly trace: boolean;
  readonly json: boolean;
  /** How the engine is broken on purpose. */
  readonly fault: EngineFault | undefined;
  /** A month at the quota instead of seeds. */
  readonly month: boolean;
  readonly days: number;
  readonly workers: number;
}

export class BadArgument extends Error {}

const DEFAULTS: SimulateArguments = {
  seeds: 200,
  from: 1,
  seed: undefined,
  trace: false,
  json: false,
  fault: undefined,
  month: false,
  days: 30,
  workers: 8,
};

const SWITCHES: ReadonlyMap<string, Partial<SimulateArguments>> = new Map([
  ['--trace', { trace: true }],
  ['--json', { json: true }],
  ['--broken-ledger', { fault: 'frees-early' }],
  ['--b3', { month: true }],
]);

const NUMBERS: ReadonlyMap<
  string,
  { readonly field: 'seeds' | 'from' | 'seed' | 'days' | 'workers'; least: number; most: number }
> = new Map([
  ['--seeds', { field: 'seeds', least: 1, most: 1_000_000 }],
  ['--from', { field: 'from', least: 0, most: 2_147_483_647 }],
  ['--seed', { field: 'seed', least: 0, most: 2_147_483_647 }],
  ['--days', { field: 'days', least: 2, most: 366 }],
  ['--workers', { field: 'workers', least: 1, most: 64 }],
]);

const KNOWN = [...NUMBERS.keys(), ...SWITCHES.keys(), '--broken'];
const OF_THE_MONTH = ['--days', '--workers'];

/**
 * Reads the arguments of `npm run simulate`; `--seed 7` and `--seed=7` are the same.
 * @throws BadArgument naming what is unknown, incomplete, out of range, or without effect
 */
export function readArguments(args: readonly string[]): SimulateArguments {
  let read = DEFAULTS;
  const given = new Set<string>();
  for (let at = 0; at < args.length; at += 1) {
    const argument = args[at] ?? '';
    const [name, inline] = splitOnce(argument);
    const flag = SWITCHES.get(name);
    const number = NUMBERS.get(name);
    if (flag !== undefined) {
      if (inline !== undefined) throw new BadArgument(`${name} takes no value, got "${argument}"`);
      read = { ...read, ...flag };
    } else if (number !== undefined)
      read = { ...read, [number.field]: readNumber(name, inline ?? args[(at += 1)], number) };
    else if (name === '--broken') read = { ...read, fault: readFault(inline ?? args[(at += 1)]) };
    else {
      throw new BadArgument(`unknown option "${argument}"; known are ${KNOWN.join(', ')} (npm run simulate -- --help)`);
    }
    given.add(name);
  }
  if (read.trace && read.seed === undefined) throw new BadArgument('--trace shows one seed: give --seed too');
  if (read.trace && read.month) throw new BadArgument('--trace shows one seed, not the month of --b3');
  if (given.has('--broken') && given.has('--broken-ledger')) {
    throw new BadArgument('--broken-ledger is --broken frees-early: give one of the two');
  }
  for (const name of OF_THE_MONTH) {
    if (given.has(name) && !read.month) throw new BadArgument(`${name} is about the month: give --b3 too`);
  }
  if (given.has('--from') && given.has('--seed')) {
    throw new BadArgument('--from is the first of several seeds: it contradicts --seed');
  }
  if (given.has('--seeds') && (given.has('--seed') || read.month)) {
    throw new BadArgument(`--seeds says how many: it contradicts ${read.month ? '--b3, which is one run' : '--seed'}`);
  }
  return read;
}

function splitOnce(argument: string): [string, string?] {
  const at = argument.indexOf('=');
  return at === -1 ? [argument] : [argument.slice(0, at), argument.slice(at + 1)];
}

function readFault(text = ''): EngineFault {
  if (isEngineFault(text)) return text;
  throw new BadArgument(`--broken needs one of ${Object.keys(ENGINE_FAULTS).join(', ')}, got "${text}"`);
}

function readNumber(name: string, text: string | undefined, { least, most }: { least: number; most: number }): number {
  const value = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new BadArgument(`${name} needs a whole number from ${String(least)} to ${String(most)}, got "${text ?? ''}"`);
}
