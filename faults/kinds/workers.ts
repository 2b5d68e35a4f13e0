import { FAILPOINTS, type Failpoint } from '@libs/sending';
import { isHealthy } from '../../tools/local-stack/reachable';
import type { Part } from '../../tools/local-stack/part';
import type { Fault } from '../fault';
import type { World } from '../world';

/** How often a place is passed before the crash, so that some seconds of work lie behind it. */
const PASSES: Readonly<Record<Failpoint, number>> = {
  'after-acquire': 8,
  'after-enqueue': 8,
  'before-claim': 8,
  'in-claim': 8,
  'after-claim': 8,
  'before-send': 200,
  'after-answer': 200,
  'after-record': 200,
  'before-outcome-commit': 60,
  'after-outcome-commit': 60,
  'before-settle': 8,
  'after-settle': 8,
};
const CRASHED_WITHIN_MS = 30_000;
const KILLS = 4;
/** Passed by whoever pumps: of several workers perhaps always another one, so the one that shall crash is alone. */
const PUMPS_PASS: readonly Failpoint[] = ['after-acquire', 'after-enqueue'];
/** Longer than the lock of a Bull job (15 s). */
const BLOCK_MS = 17_000;

async function crashed(world: World, crash: Promise<void>, what: string): Promise<void> {
  const inTime = await Promise.race([crash.then(() => true), world.wait(CRASHED_WITHIN_MS).then(() => false)]);
  if (!inTime) throw new Error(`the worker never came to ${what}: nothing was rehearsed`);
}

/** Kills a worker so many times, with a second of work between. */
export async function killWorkers(world: World, kills: number): Promise<string> {
  const running = world.parts.workers.filter((worker) => worker.isRunning);
  for (let kill = 0; kill < kills; kill += 1) {
    const victim = running[Math.floor(world.chance() * running.length)];
    await victim?.kill();
    if (victim) await world.revive(victim);
    if (kill + 1 < kills) await world.wait(300 + world.chance() * 1_200);
  }
  return `${kills} kills`;
}

/** A worker that dies of itself at one place of the code. */
function crashAt(name: string, place: Failpoint, rows: string): Fault {
  let crash: Promise<void>;
  return {
    name,
    about: `a worker dies of SIGKILL at its failpoint ${place} and is started anew`,
    rows,
    allow: { recoverySeconds: 10 },
    strikesByItself: true,
    prepare: async (world) => {
      const count = PUMPS_PASS.includes(place) ? 1 : world.usualWorkers;
      await world.workers(count, { FAILPOINT: `${place}:${PASSES[place]}` }, {});
      crash = world.firstWorker.untilCrash();
    },
    inject: async (world) => {
      await crashed(world, crash, place);
      await world.revive(world.firstWorker);
      await world.workers();
      return undefined;
    },
  };
}

const rowsOf: Readonly<Record<Failpoint, string>> = {
  'after-acquire': '5, 6',
  'after-enqueue': '6',
  'before-claim': '7',
  'in-claim': '8',
  'after-claim': '9',
  'before-send': '10',
  'after-answer': '10',
  'after-record': '11',
  'before-outcome-commit': '11',
  'after-outcome-commit': '12',
  'before-settle': '12',
  'after-settle': '12',
};

export const workerFaults: readonly Fault[] = [
  {
    name: 'kill-worker',
    about: `${KILLS} times, a worker is killed with SIGKILL at a random moment and started anew`,
    rows: '7, 8, 9, 10, 11, 12',
    allow: { recoverySeconds: 10 },
    inject: (world) => killWorkers(world, KILLS),
  },
  ...FAILPOINTS.filter((place) => place !== 'after-acquire').map((place) =>
    crashAt(`kill-worker-at-${place}`, place, rowsOf[place]),
  ),
  crashAt('kill-pump', 'after-acquire', rowsOf['after-acquire']),
  {
    name: 'two-pumps',
    about: 'one more worker pumps and sends beside the others for 5 s, then stops',
    rows: 'F6',
    allow: { recoverySeconds: 5 },
    inject: async (world) => {
      await world.workers(world.usualWorkers + 1);
      await world.wait(5_000);
      await world.workers();
      return undefined;
    },
  },
  {
    name: 'sigstop-20s',
    about: 'a worker is frozen with SIGSTOP for 20 s and goes on',
    rows: '13',
    allow: { recoverySeconds: 10 },
    inject: async (world) => {
      world.firstWorker.freeze();
      await world.wait(20_000);
      world.firstWorker.thaw();
      return undefined;
    },
  },
  {
    name: 'event-loop-block',
    about: `one of two workers blocks its event loop for ${BLOCK_MS / 1_000} s right after a claim; Bull gives its tickets to the other`,
    rows: '14',
    allow: { recoverySeconds: 10 },
    strikesByItself: true,
    prepare: (world) =>
      world.workers(
        world.usualWorkers + 1,
        { FAILPOINT: `after-claim:${PASSES['after-claim']}:block=${BLOCK_MS}` },
        {},
      ),
    inject: async (world) => {
      const answers = () => isHealthy(`${world.stack.workerUrl}/health/live`);
      if (!(await world.until(async () => !(await answers()), CRASHED_WITHIN_MS))) {
        throw new Error('the worker never blocked: nothing was rehearsed');
      }
      await world.until(answers, BLOCK_MS + 10_000);
      return undefined;
    },
  },
  {
    name: 'rolling-deploy',
    about: 'every worker is replaced in its turn: a new one comes, the old one drains after SIGTERM',
    rows: '28',
    allow: { recoverySeconds: 5 },
    inject: async (world) => {
      await world.workers(world.usualWorkers + 1);
      const old = world.parts.workers.slice(0, world.usualWorkers);
      for (const worker of old) await replace(world, worker);
      await world.workers();
      return undefined;
    },
  },
];

async function replace(world: World, worker: Part): Promise<void> {
  await worker.stop();
  await world.revive(worker);
}
