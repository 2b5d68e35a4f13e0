import { availableParallelism } from 'node:os';
import { baselineSlice, WARM_UP_SECONDS, type BaselineLoad } from '../baseline-arm';
import type { BullVariant } from '../baselines/load-plan';
import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import { cpuPerMessageInAll, medianCpu, perSecond, spread, type Slice } from '../slice';
import type { Result } from '../result';
import type { RateBoundSlices } from './rate-bound';

/** Eight accounts whose rate nobody can reach, with four tenants each; bodies of 1 KB. */
const ACCOUNTS = 8;
const RATE = 5_000;
const TENANTS = 4;
const BODY_BYTES = 1_024;
/** Requests under way of RAW. With the sink's mean latency of 55 ms they cover 28,000 messages/s: CPU binds. */
const RAW_CONCURRENCY = 1_536;
/** What costs the SDK least. */
const SDK_CONCURRENCY = 768;
/** More under way costs Bull more CPU and sends nothing more. */
const BULL_CONCURRENCY = 256;
/** Slices of the arms of which only the CPU per message is wanted: it hardly differs from one to the next. */
const BASELINE_SLICES = 2;
/** More than any arm here can send in warm-up and slice together. */
const MESSAGES_PER_SECOND = 12_000;
const BULL_MESSAGES_PER_SECOND = { 'by-id': 2_500, lean: 5_000 };

export interface SaturatedSlices {
  readonly ours: readonly Slice[];
  /** OURS with a worker per core. */
  readonly oursSpread: readonly Slice[];
  readonly raw: readonly Slice[];
  /** RAW with a process per core. */
  readonly rawSpread: readonly Slice[];
  readonly sdk: readonly Slice[];
  readonly bull: readonly Slice[];
  readonly bullLean: readonly Slice[];
}

/** OURS and RAW, and SDK and BULL if wanted, in turns; each with all it can get of the machine, the sink on the same cores. */
export async function saturatedSlices(lab: Lab, withOthers: boolean): Promise<SaturatedSlices> {
  const { slices, seconds } = lab.args;
  const taken = {
    ours: [] as Slice[],
    oursSpread: [] as Slice[],
    raw: [] as Slice[],
    rawSpread: [] as Slice[],
    sdk: [] as Slice[],
    bull: [] as Slice[],
    bullLean: [] as Slice[],
  };
  const cores = availableParallelism();
  const load = {
    rates: Array.from({ length: ACCOUNTS }, () => RATE),
    concurrency: RAW_CONCURRENCY,
    bodyBytes: BODY_BYTES,
    messages: 0,
  };
  const bull = (variant: BullVariant): BaselineLoad => ({
    ...load,
    variant,
    concurrency: BULL_CONCURRENCY,
    messages: BULL_MESSAGES_PER_SECOND[variant] * (seconds + WARM_UP_SECONDS + 1),
  });
  for (let i = 0; i < slices; i += 1) {
    const say = (arm: string) => {
      lab.progress(`saturated, slice ${i + 1} of ${slices}: ${arm}`);
    };
    // In one process and in one per core; which is faster shows at once, and from the second slice on it runs alone.
    if (runs(taken.ours, taken.oursSpread)) {
      say('the engine');
      taken.ours.push(await oursOnce(lab, seconds, 1));
    }
    say('raw');
    if (runs(taken.raw, taken.rawSpread)) taken.raw.push(await baselineSlice(lab, 'raw', load, seconds));
    if (runs(taken.rawSpread, taken.raw))
      taken.rawSpread.push(await baselineSlice(lab, 'raw', { ...load, processes: cores }, seconds));
    if (runs(taken.oursSpread, taken.ours)) {
      say(`the engine, ${cores} workers`);
      taken.oursSpread.push(await oursOnce(lab, seconds, cores));
    }
    if (!withOthers || i >= BASELINE_SLICES) continue;
    say('sdk');
    taken.sdk.push(await baselineSlice(lab, 'sdk', { ...load, concurrency: SDK_CONCURRENCY }, seconds));
    say('bull');
    taken.bull.push(await baselineSlice(lab, 'bull', bull('by-id'), seconds));
    if (i === 0) taken.bullLean.push(await baselineSlice(lab, 'bull', bull('lean'), seconds));
  }
  return taken;
}

/** Whether this form of an arm gets another slice: the first always, further ones when it was the faster. */
function runs(form: readonly Slice[], other: readonly Slice[]): boolean {
  return form.length === 0 || other.length === 0 || faster(form, other) === form;
}

function faster(one: readonly Slice[], other: readonly Slice[]): readonly Slice[] {
  const first = ([slice]: readonly Slice[]) => (slice === undefined ? 0 : perSecond(slice));
  return first(other) > first(one) ? other : one;
}

/** A database of its own for each slice, so that no slice pays for the rows of another. */
async function oursOnce(lab: Lab, seconds: number, workers: number): Promise<Slice> {
  const account = { rate: RATE, quota: 100_000_000, tenantWeights: Array.from({ length: TENANTS }, () => 10) };
  const arm = await EngineArm.prepare(lab, { accounts: Array.from({ length: ACCOUNTS }, () => account) }, BODY_BYTES);
  try {
    return await arm.slice(MESSAGES_PER_SECOND * (seconds + WARM_UP_SECONDS + 1), seconds, workers, WARM_UP_SECONDS);
  } finally {
    await arm.close();
  }
}

export function b04(taken: SaturatedSlices): Result {
  const ours = faster(taken.ours, taken.oursSpread);
  const raw = faster(taken.raw, taken.rawSpread);
  return {
    id: 'B4',
    measure: 'saturated messages/s against RAW, everything on the same cores',
    figures: [
      {
        name: 'OURS / RAW',
        value: spread(ours.map(perSecond)).median / spread(raw.map(perSecond)).median,
        unit: '',
        target: { least: 0.7 },
        stretch: { least: 0.85 },
      },
    ],
    cpuUs: medianCpu(ours),
    notes: [
      `OURS with one worker ${rate(taken.ours)}, with one per core ${rate(taken.oursSpread)}; RAW in one process ${rate(taken.raw)}, in one per core ${rate(taken.rawSpread)}. Of each what was faster in the first slice ran on and counts (median, least to most of ${ours.length} slices in turns).`,
      `CPU per message of the faster: OURS ${costs(ours)}; RAW ${costs(raw)}.`,
      'Both pay for the sink on the same cores; OURS pays for PostgreSQL (every commit on disk) and Redis as well.',
    ],
  };
}

export function b05(taken: SaturatedSlices, { ours: oursBound, bullL, bullLLean }: RateBoundSlices): Result {
  const saturated = faster(taken.ours, taken.oursSpread);
  const ours = medianTotal(saturated);
  const bound = medianTotal(oursBound);
  const ratio = (name: string, them: number, us: number, target: number, stretch: number) => ({
    name: `${name} / OURS`,
    value: them / us,
    unit: 'x',
    target: { least: target },
    stretch: { least: stretch },
  });
  const lean = {
    bull: medianTotal(taken.bullLean) / ours,
    bullL: medianTotal(bullLLean) / bound,
  };
  return {
    id: 'B5',
    measure: 'CPU per message of the baselines over ours, without the sink',
    figures: [
      ratio('SDK loop', medianTotal(taken.sdk), ours, 4, 6),
      ratio('BULL', medianTotal(taken.bull), ours, 2.4, 4),
      ratio('BULL-L', medianTotal(bullL), bound, 5.8, 9),
    ],
    cpuUs: medianCpu(saturated),
    notes: [
      `Saturated: OURS ${ours.toFixed(0)} us at ${rate(saturated)}; SDK ${costs(taken.sdk)} at ${rate(taken.sdk)}; BULL ${costs(taken.bull)} at ${rate(taken.bull)}.`,
      `Bound by rate, BULL-L's own load: OURS ${bound.toFixed(0)} us at ${rate(oursBound)}; BULL-L ${costs(bullL)} at ${rate(bullL)}.`,
      'BULL and BULL-L here load the message by the id in the job and write its status when it is sent, row by row: what the targets were set from. They send through our lean client.',
      `Their lean variants, with the mail in the job and statuses in batches: BULL ${costs(taken.bullLean)} at ${rate(taken.bullLean)}, ${lean.bull.toFixed(2)} x OURS; BULL-L ${costs(bullLLean)} at ${rate(bullLLean)}, ${lean.bullL.toFixed(2)} x OURS.`,
      'SDK neither queues nor records anything.',
    ],
    losses: [
      `**Against the leanest Bull.** With the mail in the job and statuses written in batches, BULL costs ${lean.bull.toFixed(2)} times and BULL-L ${lean.bullL.toFixed(2)} times what OURS does; the targets of 2.4 and 5.8 are judged against the variants that load and record each message. The lean ones keep bodies in Redis' memory and know neither quota nor fairness.`,
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

function rate(slices: readonly Slice[]): string {
  const { median, least, most } = spread(slices.map(perSecond));
  return `${median.toFixed(0)}/s (${least.toFixed(0)} to ${most.toFixed(0)})`;
}
