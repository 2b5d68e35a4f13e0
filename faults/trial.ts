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
const STEADY_WITHIN_MS = 30_000;
/** Load goes on so long after the fault that a doubt finds its witnesses. */
const TAIL_MS = 1_500;
const FEW_EVENTS = 50;
const EVENTS_WITHIN_MS = 30_000;
/** Beyond what a fault may take to recover: until what was on its way has ended. */
const SETTLE_MS = 30_000;

/** One fault under load: steady, broken, recovered, settled, judged. */
export async function tryFault(fault: Fault, world: World, usual: TrialSettings): Promise<TrialResult> {
  const { of, rate } = fault.load ?? { of: (tenants) => tenants, rate: usual.rate };
  const settings = { ...usual, tenants: of(usual.tenants), rate };
  const load = new Load(world.stack.apiUrl, settings.tenants, world.witness, `${settings.run}/${fault.name}`);
  try {
    if (fault.prepare) await fault.prepare(world);
    else await world.workers();
    await eventsHaveCome(world);
    await world.witness.begin();
    return await new Trial(fault, world, settings, load).run();
  } catch (error) {
    if (!settings.ending.aborted) await clearUpAfter(fault, world, load);
    throw error;
  }
}

/**
 * After a fault that was not injected to its end: repairs what it may have left broken, and lets its mail out, so that
 * the next one finds the stack as it should be and no mail but its own.
 */
async function clearUpAfter(fault: Fault, world: World, load: Load): Promise<void> {
  const ended = load.abandon();
  await world.heal();
  await ended;
  await world.workers();
  // As far as there is anything to undo.
  await fault.restore?.(world).catch(() => undefined);
  await world.clearAway();
}

class Trial {
  private readonly clock = new SystemClock();
  private phase = 'steady';

  constructor(
    private readonly fault: Fault,
    private readonly world: World,
    private readonly settings: TrialSettings,
    private readonly load: Load,
  ) {}

  async run(): Promise<TrialResult> {
    const { fault, world, load, settings } = this;
    load.start();
    const steady = fault.strikesByItself === true || (await this.becomesSteady());
    const remark = await this.inject();
    const endMs = this.clock.nowMs();
    await this.recovers(endMs);
    await load.stop();
    const states = await this.settles();
    const settledSeconds = (this.clock.nowMs() - endMs) / 1_000;
    await world.witness.look();
    const { sends } = world.witness;
    const excess = await world.witness.excess();
    const verdict = judge({ receipts: load.receipts, earlier: world.earlier, states, sends, ...excess });
    for (const id of load.receipts) world.earlier.add(id);
    await fault.restore?.(world);
    // What had to wait would otherwise be part of the next one's rate.
    if (verdict.waiting > 0) await world.clearAway();
    const seconds = secondsToRecover(sends, endMs, settings.rate) ?? settledSeconds;
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

  private becomesSteady(): Promise<boolean> {
    const { world, settings } = this;
    return this.watch(
      'steady',
      STEADY_WITHIN_MS,
      (seenMs) => rateBefore(world.witness.sends, seenMs) >= 0.9 * settings.rate,
    );
  }

  private async inject(): Promise<string | undefined> {
    this.phase = 'broken';
    // The load looks at what has arrived to know what to hand in.
    const looking = setInterval(() => {
      this.look().catch(() => undefined);
    }, LOOK_MS);
    try {
      return await this.fault.inject(this.world);
    } finally {
      clearInterval(looking);
    }
  }

  /** Until the rate is back and nothing is in doubt, with a trickle of mail from when the rate is back. */
  private async recovers(endMs: number): Promise<void> {
    const { world, settings, load, clock } = this;
    const { allow } = this.fault;
    await this.watch('recovering', allow.recoverySeconds * 1_000 + SETTLE_MS, async () => {
      if (clock.nowMs() < endMs + TAIL_MS) return false;
      const back = secondsToRecover(world.witness.sends, endMs, settings.rate) !== undefined;
      if (!back && allow.waiting !== true) return false;
      load.calmDown();
      const states = await world.witness.states(load.receipts);
      return count(states, (state) => state === 'IN_DOUBT') <= (allow.inDoubt ?? 0);
    });
  }

  /** Until everything accepted has ended, as far as the fault lets it. Answers the states then. */
  private async settles(): Promise<Map<string, string>> {
    const { allow } = this.fault;
    let states = new Map<string, string>();
    await this.watch('settling', SETTLE_MS, async () => {
      states = await this.world.witness.states(this.load.receipts);
      return allow.waiting === true || count(states, (state) => !ENDED.has(state)) <= (allow.inDoubt ?? 0);
    });
    return states;
  }

  /**
   * Looks again and again until `done`, or until the time is over. Answers whether it was done.
   * @param done is told until when everything has been seen; a look takes its time, and more came meanwhile
   */
  private async watch(
    phase: string,
    withinMs: number,
    done: (seenMs: number) => boolean | Promise<boolean>,
  ): Promise<boolean> {
    this.phase = phase;
    const deadline = performance.now() + withinMs;
    for (;;) {
      const seenMs = this.clock.nowMs();
      await this.look();
      if (await done(seenMs)) return true;
      if (this.settings.ending.aborted) throw new Error('stopped before the faults were over');
      if (performance.now() > deadline) return false;
      await this.world.wait(LOOK_MS);
    }
  }

  private async look(): Promise<void> {
    await this.world.witness.look();
    const { receipts } = this.load;
    const requests = this.world.witness.sends.length;
    this.settings.progress(`${this.fault.name}: ${this.phase}, ${receipts.size} accepted, ${requests} requests`);
  }
}

/** Events that the case before left on their way would delay those of this one. */
async function eventsHaveCome(world: World): Promise<void> {
  await world.until(async () => (await world.simulator.summary()).deliveries.pending < FEW_EVENTS, EVENTS_WITHIN_MS);
}

const ENDED = new Set(['SENT', 'REJECTED', 'EXPIRED', 'CANCELED', 'SUPPRESSED']);

function count(states: ReadonlyMap<string, string>, of: (state: string) => boolean): number {
  return [...states.values()].filter(of).length;
}

/** A fault that could not be injected to its end has proved nothing, which is as bad. */
export function notTried({ name }: Fault, reason: string): TrialResult {
  const verdict = judge({ receipts: [], earlier: new Set(), states: new Map(), sends: [], overQuota: 0, overRate: 0 });
  const problems = [`not injected to its end: ${reason}`];
  return { name, ...verdict, secondsToRecover: 0, steady: false, remark: '', foreignCores: 0, problems };
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
