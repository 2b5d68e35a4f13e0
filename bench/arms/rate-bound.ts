import { baselineSlice } from '../baseline-arm';
import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import type { Result } from '../result';
import { medianCpu, perSecond, spread, worstSecondAsHeard, worstSecondOverRate, type Slice } from '../slice';

const ACCOUNTS = 8;
const RATE = 200;
const TENANTS = 4;
const BODY_BYTES = 1_024;
/** A cold process is late until its code is compiled, and moves what it misses: not what a rate is about. */
const WARM_UP_SECONDS = 10;
/** BULL-L differs little from slice to slice. */
const BASELINE_SLICES = 1;

export interface RateBoundSlices {
  readonly ours: readonly Slice[];
  /** As applications are built; empty unless asked for. */
  readonly bullL: readonly Slice[];
  readonly bullLLean: readonly Slice[];
  readonly rates: readonly number[];
}

/** Eight accounts of 200 recipients a second that the sink enforces with a strict bucket, and more mail than they can send. */
export async function rateBoundSlices(lab: Lab, byIdToo: boolean): Promise<RateBoundSlices> {
  const { slices, seconds } = lab.args;
  const rates = Array.from({ length: ACCOUNTS }, () => RATE);
  const ours: Slice[] = [];
  const bullL: Slice[] = [];
  const bullLLean: Slice[] = [];
  const messages = RATE * ACCOUNTS * (seconds + WARM_UP_SECONDS + 5);
  const account = { rate: RATE, quota: 50_000_000, tenantWeights: Array.from({ length: TENANTS }, () => 10) };
  for (let i = 0; i < slices; i += 1) {
    lab.progress(`bound by rate, slice ${i + 1} of ${slices}: the engine`);
    const arm = await EngineArm.prepare(lab, { accounts: rates.map(() => account) }, BODY_BYTES);
    try {
      ours.push(await arm.slice(messages, seconds, 1, WARM_UP_SECONDS));
    } finally {
      await arm.close();
    }
    if (i >= BASELINE_SLICES) continue;
    lab.progress(`bound by rate, slice ${i + 1} of ${slices}: bull-l`);
    const load = { rates, concurrency: 0, bodyBytes: BODY_BYTES, messages };
    bullLLean.push(await baselineSlice(lab, 'bull-l', { ...load, variant: 'lean' }, seconds));
    if (byIdToo) bullL.push(await baselineSlice(lab, 'bull-l', { ...load, variant: 'by-id' }, seconds));
  }
  return { ours, bullL, bullLLean, rates };
}

export function b01({ ours, bullLLean, rates }: RateBoundSlices): Result {
  const granted = rates.reduce((sum, rate) => sum + rate, 0);
  const used = spread(ours.map((slice) => (100 * perSecond(slice)) / granted));
  return {
    id: 'B1',
    measure: 'granted rate that is used while mail waits',
    figures: [
      { name: 'granted rate used', value: used.median, unit: '%', target: { least: 99.5 }, stretch: { least: 99.9 } },
    ],
    cpuUs: medianCpu(ours),
    notes: [
      `${rates.length} accounts of ${rates[0] ?? 0}/s, one worker, ${ours.length} slices: ${used.least.toFixed(2)} to ${used.most.toFixed(2)} %. A slice begins and ends anywhere, so one batch more or less is in it.`,
      `BULL-L used ${spread(bullLLean.map((slice) => (100 * perSecond(slice)) / granted)).median.toFixed(1)} % of the same, in its lean variant.`,
    ],
  };
}

export function b02({ ours, bullLLean, rates }: RateBoundSlices): Result {
  const refused = (slices: readonly Slice[]) => slices.reduce((sum, slice) => sum + slice.refused, 0);
  const worst = (slices: readonly Slice[]) => Math.max(...slices.map((slice) => worstSecondOverRate(slice, rates)));
  return {
    id: 'B2',
    measure: 'worst sliding second over the rate, and refusals of a strict bucket',
    figures: [
      { name: 'worst second / rate', value: worst(ours), unit: '', target: { most: 1.03 }, stretch: { most: 1.01 } },
      { name: '429s', value: refused(ours), unit: '', target: { most: 0 }, stretch: { most: 0 } },
    ],
    cpuUs: medianCpu(ours),
    notes: [
      `Worst of every account and every slice, by the sink’s own log of arrivals. What it heard after it had stood still for more than 20 ms may have come at any time within that; as if it had come when it was heard: ${Math.max(...ours.map((slice) => worstSecondAsHeard(slice, rates))).toFixed(3)}.`,
      `BULL-L on the same accounts: ${worst(bullLLean).toFixed(2)} and ${refused(bullLLean)} refusals.`,
    ],
  };
}
