import { availableParallelism } from 'node:os';
import { baselineSlice, WARM_UP_SECONDS, type BaselineLoad } from '../baseline-arm';
import type { BullVariant } from '../baselines/load-plan';
import { EngineArm } from '../engine-arm';
import type { Lab } from '../lab';
import { cpuPerMessageInAll, faster, medianCpu, perSecond, spread, type Slice } from '../slice';
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
const SDK_SLICES = 2;
const BULL_SLICES = 1;
/** More than the engine sends on two cores in warm-up and slice together; where it sends more, a slice is taken again with more. */
const MESSAGES_PER_SECOND = 21_000;
/** Seconds' worth of mail that must be left when a slice ends: with less, some account may have had none. */
const LEAST_LEFT = 0.5;
const BULL_MESSAGES_PER_SECOND = { 'by-id': 6_000, lean: 7_000 };

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
    say('the engine');
    taken.ours.push(await oursOnce(lab, seconds, 1));
    say('raw');
    taken.raw.push(await baselineSlice(lab, 'raw', load, seconds));
    say(`raw, ${cores} processes`);
    taken.rawSpread.push(await baselineSlice(lab, 'raw', { ...load, processes: cores }, seconds));
    say(`the engine, ${cores} workers`);
    taken.oursSpread.push(await oursOnce(lab, seconds, cores));
    if (!withOthers || i >= SDK_SLICES) continue;
    say('sdk');
    taken.sdk.push(await baselineSlice(lab, 'sdk', { ...load, concurrency: SDK_CONCURRENCY }, seconds));
    if (i >= BULL_SLICES) continue;
    say('bull');
    taken.bull.push(await baselineSlice(lab, 'bull', bull('by-id'), seconds));
    taken.bullLean.push(await baselineSlice(lab, 'bull', bull('lean'), seconds));
  }
  return taken;
}

/** A database of its own for each slice, so that no slice pays for the rows of another; and mail to its end. */
async function oursOnce(lab: Lab, seconds: number, workers: number, supply = MESSAGES_PER_SECOND): Promise<Slice> {
  const account = { rate: RATE, quota: 100_000_000, tenantWeights: Array.from({ length: TENANTS }, () => 10) };
  const arm = await EngineArm.prepare(lab, { accounts: Array.from({ length: ACCOUNTS }, () => account) }, BODY_BYTES);
  try {
    const slice = await arm.slice(supply * (seconds + WARM_UP_SECONDS + 1), seconds, workers, WARM_UP_SECONDS);
    if ((await arm.waiting()) > LEAST_LEFT * perSecond(slice)) return slice;
  } finally {
    await arm.close();
  }
  lab.progress('saturated: the mail ran out, again with twice as much');
  return oursOnce(lab, seconds, workers, 2 * supply);
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
      `OURS with one worker ${rate(taken.ours)}, with one per core ${rate(taken.oursSpread)}; RAW in one process ${rate(taken.raw)}, in one per core ${rate(taken.rawSpread)}. Each ran ${ours.length} slices in turns (median, least to most); of both arms the form with the better median counts, here ${taken.ours === ours ? 'one worker' : 'a worker per core'} and ${taken.raw === raw ? 'one process' : 'a process per core'} of RAW.`,
      `CPU per message of what counts: OURS ${costs(ours)}; RAW ${costs(raw)}.`,
      'OURS shares requests where several messages start in the same moment, each with a text of its own; RAW sends one by one.',
      'Both pay for the sink on the same cores; OURS pays for PostgreSQL (every commit on disk) and Redis as well.',
    ],
  };
}

export function b05(taken: SaturatedSlices, { ours: oursBound, bullL, bullLLean }: RateBoundSlices): Result {
  // One process beside one process, whichever form B4 takes: the ratio must not jump with that choice.
  const saturated = taken.ours;
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
      `Saturated, each in one process: OURS with one worker ${ours.toFixed(0)} us at ${rate(saturated)} (with one per core ${medianTotal(taken.oursSpread).toFixed(0)} us); SDK ${costs(taken.sdk)} at ${rate(taken.sdk)}; BULL ${costs(taken.bull)} at ${rate(taken.bull)}.`,
      `Bound by rate, BULL-L's own load, each in one process: OURS ${bound.toFixed(0)} us at ${rate(oursBound)}; BULL-L ${costs(bullL)} at ${rate(bullL)}.`,
      `OURS saturated beside BULL-L bound by rate, the two loads that its target was set from: ${(medianTotal(bullL) / ours).toFixed(1)} x. Not judged: fewer messages cost more each, whoever sends them.`,
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
