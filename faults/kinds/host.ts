import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../tools/local-stack/project-root';
import { isHealthy } from '../../tools/local-stack/reachable';
import { canDownloadPackages, libraryFolders, unpackPackages } from '../../tools/local-stack/system-packages';
import { ownEnvironment } from '../../tools/local-stack/environment';
import { ImpossibleHere, type Fault } from '../fault';
import type { World } from '../world';

const OUTAGE_MS = 5_000;
/** Room for the records of some minutes. */
const DISK_KB = 512;
const JUMP_SECONDS = 3_600;

const recorderDisk = (world: World) => path.join(world.stack.folder.path, 'recorder-disk');
const fillerOf = (world: World) => path.join(recorderDisk(world), 'filler');
const offsetFile = (world: World, of = 'redis') => path.join(world.stack.folder.path, `${of}-clock`);

function mounted(folder: string): string | undefined {
  mkdirSync(folder, { recursive: true });
  // One of a run that was killed would lie below the new one.
  spawnSync('umount', ['--lazy', folder], { stdio: 'ignore' });
  const { status, error, stderr } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', `size=${DISK_KB}k`, 'postfleet-faults', folder],
    { encoding: 'utf8' },
  );
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/** Writes until the disk refuses. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    const page = Buffer.alloc(4_096);
    for (let written = 0; written <= DISK_KB * 1_024; written += page.length) writeSync(descriptor, page);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** The library that gives one process a clock of its own, from the packages of this distribution. */
async function clockLibrary(): Promise<string> {
  const env = ownEnvironment();
  if (!canDownloadPackages(env)) throw new Error('libfaketime comes from packages of Debian or Ubuntu only');
  const folder = path.join(projectRoot(), '.data', 'faketime');
  const unpacked = await unpackPackages(folder, { needed: ['libfaketime'], optional: [] }, env);
  const [library] = libraryFolders(unpacked);
  if (library === undefined) throw new Error('the package libfaketime holds no library');
  return path.join(library, 'faketime', 'libfaketimeMT.so.1');
}

async function restartRedis(world: World, environment: Readonly<Record<string, string>> = {}): Promise<void> {
  const { part } = await world.redisVictim();
  await part.stop();
  await part.start(environment);
}

function noOwnClock(): Promise<string | undefined> {
  return clockLibrary().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

function setAhead(world: World, seconds: number, of?: string): void {
  writeFileSync(offsetFile(world, of), `+${seconds}`);
}

async function ownClock(world: World, of?: string): Promise<Record<string, string>> {
  return {
    LD_PRELOAD: await clockLibrary(),
    FAKETIME_TIMESTAMP_FILE: offsetFile(world, of),
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

async function withOwnClock(world: World): Promise<void> {
  await world.workers();
  setAhead(world, 0);
  const clock = await ownClock(world);
  // The C library's own malloc after it: Debian's Redis has jemalloc, which asks for the time before it can be answered.
  await restartRedis(world, { ...clock, LD_PRELOAD: `${clock['LD_PRELOAD'] ?? ''} libc.so.6` }).catch(
    (error: unknown) => {
      throw new ImpossibleHere('Redis does not start with a clock of its own', { cause: error });
    },
  );
}

/** Faults in which Redis runs on a clock of its own. */
const ON_ITS_OWN_CLOCK = {
  allow: { recoverySeconds: 30 },
  impossible: noOwnClock,
  prepare: withOwnClock,
  restore: (world) => restartRedis(world),
} satisfies Partial<Fault>;

export const hostFaults: readonly Fault[] = [
  {
    name: 'disk-full-under-recorder',
    about: 'the disk of the flight recorder is full for 5 s',
    rows: 'F18',
    allow: { recoverySeconds: 15 },
    impossible: (world) => {
      const problem = mounted(recorderDisk(world));
      return Promise.resolve(problem === undefined ? undefined : `no small disk can be mounted here (${problem})`);
    },
    prepare: (world) => world.workers(world.usualWorkers, { RECORDER_DIR: recorderDisk(world) }),
    inject: async (world) => {
      fill(fillerOf(world));
      await world.wait(OUTAGE_MS);
      rmSync(fillerOf(world));
      return undefined;
    },
    restore: async (world) => {
      await world.workers();
      spawnSync('umount', ['--lazy', recorderDisk(world)], { stdio: 'ignore' });
    },
  },
  {
    name: 'clock-jump',
    about: 'the clock of Redis jumps an hour ahead for 5 s, and back',
    rows: '18',
    ...ON_ITS_OWN_CLOCK,
    inject: async (world) => {
      setAhead(world, JUMP_SECONDS);
      await world.wait(OUTAGE_MS);
      setAhead(world, 0);
      return undefined;
    },
  },
  {
    name: 'clock-jump-kill-worker',
    about: 'a worker is killed while the clock of Redis is an hour ahead, and started anew once it is back',
    rows: '7, 18',
    ...ON_ITS_OWN_CLOCK,
    inject: async (world) => {
      setAhead(world, JUMP_SECONDS);
      await world.wait(OUTAGE_MS);
      // What it took of Redis for some seconds is kept for an hour now.
      await world.firstWorker.kill();
      setAhead(world, 0);
      await world.revive(world.firstWorker);
      return undefined;
    },
  },
  {
    name: 'clock-jump-worker',
    about: 'the clock of one worker of several jumps an hour ahead for 5 s, and back',
    rows: '18',
    allow: { recoverySeconds: 15 },
    impossible: noOwnClock,
    prepare: async (world) => {
      setAhead(world, 0, 'worker');
      await world.workers(world.usualWorkers + 1, await ownClock(world, 'worker'), {});
    },
    inject: async (world) => {
      setAhead(world, JUMP_SECONDS, 'worker');
      const isReady = () => isHealthy(`${world.stack.workerUrl}/health/ready`);
      if (!(await world.until(async () => !(await isReady()), OUTAGE_MS))) {
        throw new Error('the worker never said that its clock is wrong: nothing was rehearsed');
      }
      await world.wait(OUTAGE_MS);
      setAhead(world, 0, 'worker');
      await world.until(isReady, OUTAGE_MS);
      return undefined;
    },
    restore: (world) => world.workers(),
  },
];
