import { monotonicUs } from './monotonic';
import { treeCpuMs } from './process-cpu';
import type { Lab } from './lab';
import type { Arrival } from './sink/arrival-record';
import { percentile, worstSlidingWindow } from './statistics';

/** What one measured slice of one arm was. */
export interface Slice {
  readonly seconds: number;
  /** Every request that arrived within it, in order of time. */
  readonly arrivals: readonly Arrival[];
  readonly sent: number;
  readonly refused: number;
  /** CPU of each process tree in the slice, milliseconds, by name. */
  readonly cpuMs: Readonly<Record<string, number>>;
}

/** Watches everything that runs for that long. */
export async function measureSlice(lab: Lab, seconds: number): Promise<Slice> {
  const from = await lab.sink.length();
  const cpuBefore = await cpuOf(lab);
  const startUs = monotonicUs();
  await lab.wait(seconds);
  const endUs = monotonicUs();
  const cpuAfter = await cpuOf(lab);
  const arrivals = (await lab.sink.log(from)).filter(({ atUs }) => atUs >= startUs && atUs < endUs);
  const sent = arrivals.filter(({ status }) => status === 200).length;
  const cpuMs = Object.fromEntries(Object.entries(cpuAfter).map(([name, ms]) => [name, ms - (cpuBefore[name] ?? ms)]));
  return {
    seconds: (endUs - startUs) / 1e6,
    arrivals,
    sent,
    refused: arrivals.filter(({ status }) => status === 429).length,
    cpuMs,
  };
}

async function cpuOf(lab: Lab): Promise<Record<string, number>> {
  const used = Object.fromEntries([...lab.processes].map(([name, pid]) => [name, treeCpuMs(pid)]));
  // Redis tells its own to the microsecond, where the kernel counts hundredths of a second.
  return { ...used, redis: await redisCpuMs(lab) };
}

async function redisCpuMs({ redis }: Lab): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`^${name}:([0-9.]+)`, 'm').exec(info)?.[1] ?? '0');
  return 1_000 * (seconds('used_cpu_user') + seconds('used_cpu_sys'));
}

export function perSecond({ sent, seconds }: Slice): number {
  return sent / seconds;
}

/** CPU per message in microseconds, by process. */
export function cpuPerMessage({ cpuMs, sent }: Slice): Record<string, number> {
  return Object.fromEntries(Object.entries(cpuMs).map(([name, ms]) => [name, (ms * 1_000) / Math.max(1, sent)]));
}

/** Without the sink, which stands for SES. */
export function cpuPerMessageInAll(slice: Slice): number {
  return Object.entries(cpuPerMessage(slice)).reduce((sum, [name, us]) => (name === 'sink' ? sum : sum + us), 0);
}

/**
 * Recipients, refused ones too, that certainly came in the worst sliding second of any account, over that account's rate: what
 * the sink heard after a pause of its own may have come at any time within that.
 */
export function worstSecondOverRate({ arrivals }: Pick<Slice, 'arrivals'>, rates: readonly number[]): number {
  const byAccount = rates.map((): Arrival[] => []);
  for (const arrival of arrivals) byAccount[arrival.account]?.push(arrival);
  return Math.max(...byAccount.map((arrivals, i) => worstSlidingWindow(arrivals, 1_000_000) / (rates[i] ?? 1)));
}

/** The same as if every request had come when the sink heard it: no less than what is certain. */
export function worstSecondAsHeard({ arrivals }: Pick<Slice, 'arrivals'>, rates: readonly number[]): number {
  return worstSecondOverRate({ arrivals: arrivals.map((one) => ({ ...one, sinceUs: one.atUs })) }, rates);
}

/** Accepted requests of each configuration set in the slice. */
export function sentBySet(lab: Lab, arrivals: readonly Arrival[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const arrival of arrivals) {
    if (arrival.status !== 200) continue;
    const set = lab.sink.setOf(arrival);
    counts.set(set, (counts.get(set) ?? 0) + 1);
  }
  return counts;
}

/** Median with the least and the most, over slices. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spread(values: readonly number[]): Spread {
  return { median: percentile(values, 0.5), least: Math.min(...values), most: Math.max(...values) };
}

/** Of two forms of an arm the one with the higher median rate: no single slice decides. */
export function faster(one: readonly Slice[], other: readonly Slice[]): readonly Slice[] {
  const median = (slices: readonly Slice[]) => spread(slices.map(perSecond)).median;
  return median(other) > median(one) ? other : one;
}

/** Median of each process' CPU per message over slices; a process that one slice lacks counts as 0 there. */
export function medianCpu(slices: readonly Slice[]): Record<string, number> {
  const each = slices.map(cpuPerMessage);
  const names = [...new Set(each.flatMap((one) => Object.keys(one)))];
  return Object.fromEntries(
    names.map((name) => [
      name,
      percentile(
        each.map((one) => one[name] ?? 0),
        0.5,
      ),
    ]),
  );
}
