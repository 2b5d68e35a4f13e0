import type { BenchId } from './arguments';
import { b01, b02, rateBoundSlices } from './arms/rate-bound';
import { b04, b05, saturatedSlices } from './arms/saturated';
import { b06 } from './arms/b06-redis';
import { b07 } from './arms/b07-fairness';
import { b08 } from './arms/b08-noisy-neighbour';
import { b09 } from './arms/b09-transactional';
import { b13 } from './arms/b13-accept';
import { b14 } from './arms/b14-storage';
import { b16 } from './arms/b16-books';
import { b17 } from './arms/b17-soak';
import { b03, startMonth } from './arms/b03-simulated-month';
import { scale } from './arms/b11-b12-scale';
import type { Lab } from './lab';
import type { Outcome, Report, Result } from './result';

/** Measures that are taken together, in one scenario. */
interface Scenario {
  readonly ids: readonly BenchId[];
  /** What it takes at default lengths on two idle cores. */
  readonly seconds: number | ((wanted: ReadonlySet<BenchId>) => number);
  /** What `--long` adds. */
  readonly longSeconds?: number;
  /** Of them, those in which so much is written that B3 goes on meanwhile. */
  readonly spareSeconds?: number;
  /** Reports each result when it has it, so that a later failure does not take it along. */
  readonly run: (lab: Lab, wanted: ReadonlySet<BenchId>, report: Report) => Promise<void>;
}

const SCENARIOS: readonly Scenario[] = [
  { ids: ['B1', 'B2', 'B4', 'B5'], seconds: secondsInTurns, run: slicesInTurns },
  { ids: ['B6'], seconds: 50, run: alone(b06) },
  { ids: ['B7'], seconds: 47, run: alone(b07) },
  { ids: ['B8'], seconds: 80, run: alone(b08) },
  { ids: ['B9'], seconds: 28, run: alone(b09) },
  { ids: ['B11', 'B12'], seconds: 145, longSeconds: 500, spareSeconds: 55, run: scale },
  { ids: ['B13'], seconds: 53, run: alone(b13) },
  { ids: ['B14'], seconds: 175, longSeconds: 3_480, run: alone(b14) },
  { ids: ['B16'], seconds: 100, spareSeconds: 60, run: alone(b16) },
  { ids: ['B17'], seconds: 205, longSeconds: 3_420, run: alone(b17) },
  { ids: ['B3'], seconds: secondsAfterTheOthers, run: alone(b03) },
];

/** B10 boots its own stack: main.ts runs it after the lab is gone. */
const KILLS: Omit<Scenario, 'run'> = { ids: ['B10'], seconds: 115, longSeconds: 600 };
/** Of computing, with a core for itself. */
const MONTH_SECONDS = 115;
/** The whole run may take 25 minutes. */
const BOOT_SECONDS = 10;

/** What will be measured and how long that takes, one line. */
export function planText(only: readonly BenchId[], long: boolean): string {
  const wanted = new Set(only);
  const asked = [...SCENARIOS, KILLS].flatMap(({ ids, seconds: usual, longSeconds = 0 }) => {
    const own = ids.filter((id) => wanted.has(id));
    const seconds = Math.ceil(typeof usual === 'number' ? usual : usual(wanted)) + (long ? longSeconds : 0);
    return own.length === 0 ? [] : [{ text: `${own.join(' ')} ${seconds} s`, seconds }];
  });
  const total = asked.reduce((sum, { seconds }) => sum + seconds, BOOT_SECONDS);
  const lengths = long ? 'with --long, slices of the usual length' : 'at default lengths';
  return `plan: ${asked.map(({ text }) => text).join(', ')}; about ${Math.ceil(total / 60)} min in all ${lengths}`;
}

/** B5 needs what B1 and B4 measure, and baselines besides. */
function secondsInTurns(wanted: ReadonlySet<BenchId>): number {
  const bound = wanted.has('B1') || wanted.has('B2') || wanted.has('B5') ? 90 : 0;
  const saturated = wanted.has('B4') || wanted.has('B5') ? 245 : 0;
  return bound + saturated + (wanted.has('B5') ? 120 : 0);
}

/** What is left of the simulated month when the others have had their turn. */
function secondsAfterTheOthers(wanted: ReadonlySet<BenchId>): number {
  const writing = SCENARIOS.filter(({ ids }) => ids.some((id) => wanted.has(id)));
  const spare = writing.reduce((sum, { spareSeconds = 0 }) => sum + spareSeconds, 0);
  return Math.max(1, MONTH_SECONDS - spare);
}

function alone(measure: (lab: Lab) => Promise<Result>): Scenario['run'] {
  return async (lab, _, report) => {
    report(await measure(lab));
  };
}

async function slicesInTurns(lab: Lab, wanted: ReadonlySet<BenchId>, report: Report): Promise<void> {
  const both = wanted.has('B5');
  const bound = wanted.has('B1') || wanted.has('B2') || both ? await rateBoundSlices(lab, both) : undefined;
  if (bound && wanted.has('B1')) report(b01(bound));
  if (bound && wanted.has('B2')) report(b02(bound));
  if (!wanted.has('B4') && !both) return;
  const saturated = await saturatedSlices(lab, both);
  if (wanted.has('B4')) report(b04(saturated));
  if (bound && both) report(b05(saturated, bound));
}

/** Measures that the lab takes; the kills of B10 have a stack of their own. */
export const LAB_IDS: ReadonlySet<BenchId> = new Set(SCENARIOS.flatMap(({ ids }) => ids));

/** Takes what was asked for, in order of the scenarios. A measure that fails is told as such and does not stop the others. */
export async function measureInLab(lab: Lab, outcome: Outcome): Promise<void> {
  const wanted = new Set(lab.args.only);
  if (wanted.has('B3')) await startMonth(lab);
  for (const { ids, run } of SCENARIOS) {
    const asked = ids.filter((id) => wanted.has(id));
    if (asked.length === 0) continue;
    lab.progress(`measuring ${asked.join(', ')}`);
    const began = performance.now();
    try {
      await run(lab, wanted, (result) => outcome.results.push(result));
    } catch (error) {
      if (lab.isEnding) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      const missing = asked.filter((id) => !outcome.results.some((result) => result.id === id));
      outcome.failures.push(...missing.map((id) => ({ id, error: reason })));
      await lab.stopArms();
    }
    outcome.took.push({ ids: asked, seconds: (performance.now() - began) / 1_000 });
    lab.load.foreignCores();
  }
}
