import { SystemClock } from '@libs/kernel';
import type { Fault } from './fault';
import { judge, rateBefore, secondsToRecover, type Verdict } from './judge';
import { Load, type LoadedTenant } from './load';
import type { World } from './world';

export interface TrialResult extends Verdict {
  readonly name: string;
  /** Undefined when the rate did not come back while there was load; then it ends with the last message. */
  readonly secondsToRecover: number;
  /** Whether the load had reached its rate before anything was broken. */
  readonly steady: boolean;
  readonly remark: string;
  /** Cores that programs of others used meanwhile. */
  readonly foreignCores: number;
  /** What the table does not allow, in words; empty when the fault was borne. */
  readonly problems: readonly string[];
}

export interface TrialSettings {
  readonly tenants: readonly LoadedTenant[];
  /** Recipients per second that SES accepts when nothing is wrong. */
  readonly rate: number;
  readonly run: string;
  readonly ending: AbortSignal;
  /** Cores that programs of others used since the last call. */
  readonly foreignCores: () => number;
  readonly progress: (line: string) => void;
}

const LOOK_MS = 250;
/** Until the load has reached its rate. */
const STEADY_WITHIN_MS = 15_000;
/** Load goes on so long after the fault that a doubt finds its witnesses. */
const TAIL_MS = 1_500;
const FEW_EVENTS = 50;
const EVENTS_WITHIN_MS = 30_000;
/** Beyond what a fault may take to recover: until what was on its way has ended. */
const SETTLE_MS = 30_000;

/** One fault under load: steady, broken, recovered, settled, judged. */
export async function tryFault(fault: Fault, world: World, settings: TrialSettings): Promise<TrialResult> {
  const clock = new SystemClock();
  const { witness } = world;
  const { allow } = fault;
  if (fault.prepare) await fault.prepare(world);
  else await world.workers();
  await eventsHaveCome(world);
  await witness.begin();
  const load = new Load(world.stack.apiUrl, settings.tenants, witness, `${settings.run}/${fault.name}`);
  const say = (phase: string) => {
    settings.progress(`${fault.name}: ${phase}, ${load.receipts.size} accepted, ${witness.sends.length} requests`);
  };
  /** Looks again and again until `done`, the end of the run, or the deadline. Answers whether it was done. */
  const watch = async (phase: string, withinMs: number, done: () => boolean | Promise<boolean>): Promise<boolean> => {
    const deadline = performance.now() + withinMs;
    for (;;) {
      await witness.look();
      say(phase);
      if (await done()) return true;
      if (settings.ending.aborted) throw new Error('stopped before the faults were over');
      if (performance.now() > deadline) return false;
      await world.wait(LOOK_MS);
    }
  };

  load.start();
  const isSteady = () => rateBefore(witness.sends, clock.nowMs()) >= 0.9 * settings.rate;
  const steady = fault.strikesByItself === true || (await watch('steady', STEADY_WITHIN_MS, isSteady));
  let remark: string | undefined;
  const looking = setInterval(
    () =>
      void witness.look().then(
        () => {
          say('broken');
        },
        () => undefined,
      ),
    LOOK_MS,
  );
  try {
    remark = await fault.inject(world);
  } finally {
    clearInterval(looking);
  }
  const endMs = clock.nowMs();
  const recovered = () => secondsToRecover(witness.sends, endMs, settings.rate);
  const patienceMs = allow.recoverySeconds * 1_000 + SETTLE_MS;
  await watch('recovering', patienceMs, async () => {
    if (clock.nowMs() < endMs + TAIL_MS) return false;
    if (recovered() === undefined && allow.waiting !== true) return false;
    load.calmDown();
    return (await doubts(world, load)) <= (allow.inDoubt ?? 0);
  });
  await load.stop();
  let states = new Map<string, string>();
  await watch('settling', SETTLE_MS, async () => {
    states = await witness.states(load.receipts);
    const open = [...states.values()].filter((state) => !ENDED.has(state)).length;
    return open <= (allow.inDoubt ?? 0) || allow.waiting === true;
  });
  const settledSeconds = (clock.nowMs() - endMs) / 1_000;
  await witness.look();
  const verdict = judge({
    receipts: load.receipts,
    earlier: world.earlier,
    states,
    sends: witness.sends,
    ...(await witness.excess()),
  });
  for (const id of load.receipts) world.earlier.add(id);
  await fault.restore?.(world);
  const seconds = recovered() ?? settledSeconds;
  const result = {
    name: fault.name,
    ...verdict,
    secondsToRecover: Math.round(seconds * 10) / 10,
    steady,
    remark: remark ?? '',
    foreignCores: settings.foreignCores(),
  };
  return { ...result, problems: problemsOf(result, fault) };
}

/** Events that the case before left on their way would delay those of this one. */
async function eventsHaveCome(world: World): Promise<void> {
  await world.until(async () => (await world.simulator.summary()).deliveries.pending < FEW_EVENTS, EVENTS_WITHIN_MS);
}

const ENDED = new Set(['SENT', 'REJECTED', 'EXPIRED', 'CANCELED', 'SUPPRESSED']);

async function doubts(world: World, load: Load): Promise<number> {
  const states = await world.witness.states(load.receipts);
  return [...states.values()].filter((state) => state === 'IN_DOUBT').length;
}

/** Others may use so many cores before a time to recover stops meaning anything. */
const BUSY_CORES = 0.3;

/** What the table of the design does not allow. How long it took is not judged on a machine that others use. */
export function problemsOf(result: Omit<TrialResult, 'problems'>, { allow }: Pick<Fault, 'allow'>): string[] {
  const timeless = allow.waiting === true || result.foreignCores > BUSY_CORES;
  const limits: readonly [what: string, count: number, allowed: number][] = [
    ['lost', result.lost, 0],
    ['duplicated', result.duplicated, 0],
    ['over quota', result.overQuota, 0],
    ['over rate', result.overRate, 0],
    ['sent without a receipt', result.unknown, 0],
    ['in doubt', result.inDoubt, allow.inDoubt ?? 0],
    ['still waiting', result.waiting, allow.waiting === true ? Number.POSITIVE_INFINITY : 0],
    ['seconds to recover', result.secondsToRecover, timeless ? Number.POSITIVE_INFINITY : allow.recoverySeconds],
  ];
  const beyond = limits.flatMap(([what, count, allowed]) =>
    count > allowed ? [`${count} ${what}, at most ${allowed}`] : [],
  );
  // Where nothing was on its way, nothing was broken.
  return result.steady || result.foreignCores > BUSY_CORES ? beyond : [...beyond, 'the load never reached its rate'];
}
