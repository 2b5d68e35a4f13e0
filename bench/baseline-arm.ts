import type { BullVariant, LoadPlan } from './baselines/load-plan';
import { LATENCY } from './engine-arm';
import type { Lab } from './lab';
import { measureSlice, type Slice } from './slice';

export type Baseline = 'raw' | 'sdk' | 'bull' | 'bull-l';

const PROGRAMS: Readonly<Record<Baseline, string>> = { raw: 'raw', sdk: 'sdk', bull: 'bull', 'bull-l': 'bull' };

export interface BaselineLoad {
  /** Recipients per second of each account; the sink enforces them. */
  readonly rates: readonly number[];
  /** Requests under way at once, in all. */
  readonly concurrency: number;
  readonly bodyBytes: number;
  /** Messages that are queued before the slice begins, where there is a queue. */
  readonly messages: number;
  readonly processes?: number;
  /** Of the queues; the others have none. */
  readonly variant?: BullVariant;
}

/** As long as the engine's: until its code is compiled a process costs more than later. */
export const WARM_UP_SECONDS = 6;
/** Of its mail a queue may have given out when the slice ends. */
const ENOUGH = 0.97;
const FIRST_ACCOUNT = 700_000_000_000;

/**
 * One slice of a baseline: its own processes, warm when the slice begins and gone when it ends. Taken again with twice the mail
 * when its queue ran dry: a baseline that waits for work looks slower than it is.
 */
export async function baselineSlice(lab: Lab, arm: Baseline, load: BaselineLoad, seconds: number): Promise<Slice> {
  const database = await lab.database();
  try {
    const accounts = load.rates.map((rate, i) => ({ accountId: String(FIRST_ACCOUNT + i), rate, quota: -1 }));
    await lab.sink.configure({ accounts, latency: LATENCY, seed: lab.args.seed, clockSpeed: 1 });
    const processes = load.processes ?? 1;
    const plan: LoadPlan = {
      endpoint: lab.sinkUrl,
      accounts,
      concurrency: Math.ceil(load.concurrency / processes),
      bodyBytes: load.bodyBytes,
      messages: load.messages,
      limited: arm === 'bull-l',
      variant: load.variant ?? 'lean',
      databaseUrl: database.superuserUrl,
      redisUrl: lab.redisUrl,
    };
    const children = [];
    for (let i = 1; i <= processes; i += 1) {
      const name = processes === 1 ? arm : `${arm}-${i}`;
      children.push(
        await lab.start(name, `bench/baselines/${PROGRAMS[arm]}.main.js`, { args: [JSON.stringify(plan)] }),
      );
    }
    await lab.until(`the first send of ${arm}`, 120, async () => (await lab.sink.length()) > 0);
    await lab.wait(WARM_UP_SECONDS);
    const slice = await measureSlice(lab, seconds);
    const requests = await lab.sink.length();
    for (const child of children) await lab.kill(child);
    if (load.messages === 0 || requests < ENOUGH * load.messages) return slice;
  } finally {
    await lab.drop(database);
  }
  lab.progress(`${arm}: its queue ran dry, again with twice as much`);
  return baselineSlice(lab, arm, { ...load, messages: 2 * load.messages }, seconds);
}
