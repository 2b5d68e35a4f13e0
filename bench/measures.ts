import type { BenchId } from './arguments';
import { b01, b02, rateBoundSlices } from './arms/rate-bound';
import { b04, b05, saturatedSlices } from './arms/saturated';
import type { Lab } from './lab';
import type { Failure, Result } from './result';

/** Measures that are taken together, in one scenario. */
interface Scenario {
  readonly ids: readonly BenchId[];
  readonly run: (lab: Lab, wanted: ReadonlySet<BenchId>) => Promise<readonly Result[]>;
}

const SCENARIOS: readonly Scenario[] = [{ ids: ['B1', 'B2', 'B4', 'B5'], run: slicesInTurns }];

async function slicesInTurns(lab: Lab, wanted: ReadonlySet<BenchId>): Promise<Result[]> {
  const results: Result[] = [];
  const both = wanted.has('B5');
  const bound = wanted.has('B1') || wanted.has('B2') || both ? await rateBoundSlices(lab, true) : undefined;
  if (bound && wanted.has('B1')) results.push(b01(bound));
  if (bound && wanted.has('B2')) results.push(b02(bound));
  if (!wanted.has('B4') && !both) return results;
  const saturated = await saturatedSlices(lab, both ? ['raw', 'sdk', 'bull'] : ['raw']);
  if (wanted.has('B4')) results.push(b04(saturated));
  if (bound && both) results.push(b05(saturated, bound.ours, bound.bullL));
  return results;
}

/** Takes what was asked for. A measure that fails is told as such and does not stop the others. */
export async function measureAll(lab: Lab): Promise<{ results: Result[]; failures: Failure[] }> {
  const wanted = new Set(lab.args.only);
  const results: Result[] = [];
  const failures: Failure[] = [];
  for (const { ids, run } of SCENARIOS) {
    const asked = ids.filter((id) => wanted.has(id));
    if (asked.length === 0) continue;
    lab.progress(`measuring ${asked.join(', ')}`);
    try {
      results.push(...(await run(lab, wanted)).filter(({ id }) => wanted.has(id)));
    } catch (error) {
      if (lab.isEnding) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(...asked.map((id) => ({ id, error: reason })));
      await lab.stopArms();
    }
    lab.load.foreignCores();
  }
  const order = [...wanted];
  results.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
  return { results, failures };
}
