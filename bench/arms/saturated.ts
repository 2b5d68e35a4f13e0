import { availableParallelism } from 'node:os';
import { baselineSlice, type Baseline } from '../baseline-arm';
import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import { cpuPerMessageInAll, medianCpu, perSecond, spread, type Slice } from '../slice';
import type { Result } from '../result';

/** Eight accounts whose rate nobody can reach, with four tenants each; bodies of 1 KB. */
const ACCOUNTS = 8;
const RATE = 5_000;
const TENANTS = 4;
const BODY_BYTES = 1_024;
/** Requests under way that keep the sink's latencies covered up to 10,000 messages/s. */
const CONCURRENCY = 768;
/** More under way costs Bull more CPU and sends nothing more. */
const BULL_CONCURRENCY = 256;
/** Slices of the arms of which only the CPU per message is wanted: it hardly differs from one to the next. */
const BASELINE_SLICES = 2;
/** More than any arm here can send in warm-up and slice together. */
const MESSAGES_PER_SECOND = 9_000;
const BULL_MESSAGES_PER_SECOND = 5_000;

export interface SaturatedSlices {
  readonly ours: readonly Slice[];
  readonly raw: readonly Slice[];
  /** RAW with a process per core. */
  readonly rawSpread: readonly Slice[];
  readonly sdk: readonly Slice[];
  readonly bull: readonly Slice[];
}

/** OURS, RAW, SDK and BULL in turns, each with all it can get of the machine, sink and all on the same cores. */
export async function saturatedSlices(lab: Lab, arms: readonly Baseline[]): Promise<SaturatedSlices> {
  const { slices, seconds } = lab.args;
  const taken = {
    ours: [] as Slice[],
    raw: [] as Slice[],
    rawSpread: [] as Slice[],
    sdk: [] as Slice[],
    bull: [] as Slice[],
  };
  const load = {
    rates: Array.from({ length: ACCOUNTS }, () => RATE),
    concurrency: CONCURRENCY,
    bodyBytes: BODY_BYTES,
    messages: BULL_MESSAGES_PER_SECOND * (seconds + 4),
  };
  const bullLoad = { ...load, concurrency: BULL_CONCURRENCY };
  for (let i = 0; i < slices; i += 1) {
    lab.progress(`saturated, slice ${i + 1} of ${slices}: the engine`);
    taken.ours.push(await oursOnce(lab, seconds));
    for (const arm of ['raw', 'sdk', 'bull'] as const) {
      if (!arms.includes(arm) || (arm !== 'raw' && i >= BASELINE_SLICES)) continue;
      lab.progress(`saturated, slice ${i + 1} of ${slices}: ${arm}`);
      taken[arm].push(await baselineSlice(lab, arm, arm === 'bull' ? bullLoad : load, seconds));
      if (arm === 'raw') {
        taken.rawSpread.push(await baselineSlice(lab, arm, { ...load, processes: availableParallelism() }, seconds));
      }
    }
  }
  return taken;
}

/** A database of its own for each slice, so that no slice pays for the rows of another. */
async function oursOnce(lab: Lab, seconds: number): Promise<Slice> {
  const account = { rate: RATE, quota: 100_000_000, tenantWeights: Array.from({ length: TENANTS }, () => 10) };
  const arm = await EngineArm.prepare(lab, { accounts: Array.from({ length: ACCOUNTS }, () => account) }, BODY_BYTES);
  try {
    return await arm.slice(MESSAGES_PER_SECOND * (seconds + 5), seconds);
  } finally {
    await arm.close();
  }
}

export function b04(taken: SaturatedSlices): Result {
  const ours = spread(taken.ours.map(perSecond));
  const [single, each] = [spread(taken.raw.map(perSecond)), spread(taken.rawSpread.map(perSecond))];
  const raw = each.median > single.median ? each : single;
  return {
    id: 'B4',
    measure: 'saturated messages/s against RAW, everything on the same cores',
    figures: [
      {
        name: 'OURS / RAW',
        value: ours.median / raw.median,
        unit: '',
        target: { least: 0.7 },
        stretch: { least: 0.85 },
      },
    ],
    cpuUs: medianCpu(taken.ours),
    notes: [
      `OURS ${rate(ours)}; RAW in one process ${rate(single)}, in one per core ${rate(each)}; the faster counts (median, least to most of ${taken.ours.length} slices in turns).`,
      `RAW's CPU per message: ${costs(taken.raw)}.`,
      'Both pay for the sink on the same cores; OURS pays for PostgreSQL (every commit on disk) and Redis as well.',
    ],
  };
}

export function b05(taken: SaturatedSlices, oursBound: readonly Slice[], bullL: readonly Slice[]): Result {
  const ours = medianTotal(taken.ours);
  const bound = medianTotal(oursBound);
  const ratio = (name: string, them: number, us: number, target: number, stretch: number) => ({
    name: `${name} / OURS`,
    value: them / us,
    unit: 'x',
    target: { least: target },
    stretch: { least: stretch },
  });
  return {
    id: 'B5',
    measure: 'CPU per message of the baselines over ours, without the sink',
    figures: [
      ratio('SDK loop', medianTotal(taken.sdk), ours, 4, 6),
      ratio('BULL', medianTotal(taken.bull), ours, 2.4, 4),
      ratio('BULL-L', medianTotal(bullL), bound, 5.8, 9),
    ],
    cpuUs: medianCpu(taken.ours),
    notes: [
      `Saturated: OURS ${ours.toFixed(0)} us at ${rate(spread(taken.ours.map(perSecond)))}; SDK ${costs(taken.sdk)} at ${rate(spread(taken.sdk.map(perSecond)))}; BULL ${costs(taken.bull)} at ${rate(spread(taken.bull.map(perSecond)))}.`,
      `Bound by rate, BULL-L's own load: OURS ${bound.toFixed(0)} us at ${rate(spread(oursBound.map(perSecond)))}; BULL-L ${costs(bullL)} at ${rate(spread(bullL.map(perSecond)))}.`,
      'SDK neither queues nor records anything; BULL and BULL-L record one status per message and send through our lean client.',
    ],
  };
}

function medianTotal(slices: readonly Slice[]): number {
  return spread(slices.map(cpuPerMessageInAll)).median;
}

function costs(slices: readonly Slice[]): string {
  return Object.entries(medianCpu(slices))
    .filter(([, us]) => us >= 0.5)
    .map(([name, us]) => `${name} ${us.toFixed(0)} us`)
    .join(' + ');
}

function rate({ median, least, most }: { median: number; least: number; most: number }): string {
  return `${median.toFixed(0)}/s (${least.toFixed(0)} to ${most.toFixed(0)})`;
}
