import path from 'node:path';
import { typedPath } from '@libs/config';
import { SystemClock } from '@libs/kernel';
import { LoadWatch } from '../bench/load-watch';
import { ownEnvironment } from '../tools/local-stack/environment';
import { GraphqlClient } from '../tools/local-stack/graphql-client';
import { withSupervisor, type Session } from '../tools/local-stack/launcher';
import { LiveLine } from '../tools/local-stack/live-line';
import { rememberedPort } from '../tools/local-stack/ports';
import { projectRoot } from '../tools/local-stack/project-root';
import { seededChance } from '../tools/local-stack/seeded-chance';
import { seedFleet } from '../tools/local-stack/seed';
import { bootStack, redisPackagesFolder } from '../tools/local-stack/stack';
import { StackProblem } from '../tools/local-stack/stack-problem';
import { parseFaultArguments, type FaultArguments } from './arguments';
import { steadyRate } from './calibration';
import { FAULTS } from './catalogue';
import { ImpossibleHere, type Fault } from './fault';
import { FAULT_ACCOUNTS, loadedTenants } from './fleet';
import { jsonList, jsonReport, listOf, textReport, type Skipped } from './report';
import { notTried, tryFault, type TrialResult, type TrialSettings } from './trial';
import { World } from './world';

/** What a run takes on two idle cores: until the rate is known, and a fault with its load on average. */
const BOOT_SECONDS = 25;
const FAULT_SECONDS = 16;

async function main(): Promise<number> {
  const args = parseFaultArguments(
    process.argv.slice(2),
    FAULTS.map(({ name }) => name),
  );
  // With --json stdout belongs to the one object at the end.
  const out = args.json ? process.stderr : process.stdout;
  const say = (line: string) => void out.write(`${line}\n`);
  const chosen = FAULTS.filter(({ name }) => args.only?.includes(name) ?? true);
  if (args.list) {
    process.stdout.write(`${args.json ? jsonList(chosen) : listOf(chosen)}\n`);
    return 0;
  }
  const folder = typedPath(args.data ?? path.join(projectRoot(), '.data', 'faults'));
  return withSupervisor(folder, say, (session) => run(session, args, chosen, new LiveLine(out)));
}

async function run(session: Session, args: FaultArguments, chosen: readonly Fault[], line: LiveLine): Promise<void> {
  const { folder, supervisor, say, ending } = session;
  const started = performance.now();
  const elapsed = () => `${((performance.now() - started) / 1_000).toFixed(0)} s`;
  const load = new LoadWatch();
  say(
    `plan: ${chosen.length} faults, about ${Math.ceil((BOOT_SECONDS + chosen.length * FAULT_SECONDS) / 60)} min in all`,
  );
  // What an earlier run left could be taken for harm done by this one.
  folder.reset();
  const stack = await bootStack(supervisor, {
    folder,
    // A Redis of somebody else is not ours to break.
    env: { ...ownEnvironment(), REDIS_URL: '' },
    port: await rememberedPort(folder.path, 'api'),
    seed: args.seed,
    applications: ['simulator', 'api', 'worker'],
    // One more than usual, for faults that need one.
    workers: args.workers + 1,
    redisCluster: args.redis === 'cluster',
    redisPackages: redisPackagesFolder(path.join(projectRoot(), '.data')),
    say,
  });
  const fleet = await seedFleet(stack, say, FAULT_ACCOUNTS);
  const tenants = loadedTenants(fleet);
  const operator = new GraphqlClient(`${stack.apiUrl}/admin/graphql`, fleet.operatorKey);
  const world = new World(stack, operator, args.workers, args.redis === 'cluster', seededChance(args.seed));
  try {
    const runId = new SystemClock().nowMs().toString(36);
    const common = {
      tenants,
      run: runId,
      ending,
      foreignCores: () => load.foreignCores(),
      progress: (text: string) => {
        // Whole trees are killed here.
        load.note();
        line.show(`${elapsed()}  ${text}`);
      },
    };
    load.foreignCores();
    const rate = await steadyRate(world, common);
    line.finish();
    say(`without any fault ${rate.toFixed(0)} recipients a second are sent`);
    load.foreignCores();
    if (load.isBusy) say(busyText(load.worstCores));
    const { results, skipped } = await tryAll(chosen, world, { ...common, rate }, (text) => {
      line.finish();
      say(text);
    });
    say(`\n${textReport(results)}\n`);
    say(`${elapsed()} in all`);
    if (load.isBusy) say(busyText(load.worstCores));
    if (args.json) process.stdout.write(`${jsonReport(results, skipped, load.isBusy)}\n`);
    const unborne = results.filter(({ problems }) => problems.length > 0).map(({ name }) => name);
    if (unborne.length > 0) throw new StackProblem(`not borne: ${unborne.join(', ')}; the logs are in ${folder.logs}`);
  } finally {
    line.finish();
    await world.close();
  }
}

async function tryAll(
  faults: readonly Fault[],
  world: World,
  settings: TrialSettings,
  say: (line: string) => void,
): Promise<{ results: TrialResult[]; skipped: Skipped[] }> {
  const results: TrialResult[] = [];
  const skipped: Skipped[] = [];
  const skip = ({ name }: Fault, reason: string) => {
    skipped.push({ name, reason });
    say(`${name}: skipped, ${reason}`);
  };
  for (const fault of faults) {
    const obstacle = await fault.impossible?.(world);
    if (obstacle !== undefined) {
      skip(fault, obstacle);
      continue;
    }
    let result: TrialResult;
    try {
      result = await tryFault(fault, world, settings);
    } catch (error) {
      if (settings.ending.aborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof ImpossibleHere) {
        skip(fault, reason);
        continue;
      }
      result = notTried(fault, reason);
    }
    results.push(result);
    say(
      `${fault.name}: ${result.problems.length === 0 ? 'borne' : `NOT BORNE (${result.problems.join('; ')})`}, ` +
        `${result.accepted} accepted, recovered in ${result.secondsToRecover.toFixed(1)} s ${result.remark}` +
        (result.foreignCores > 0.1 ? ` (other programs used ${result.foreignCores.toFixed(2)} cores)` : ''),
    );
  }
  return { results, skipped };
}

function busyText(cores: number): string {
  return `THE MACHINE IS BUSY: other programs use up to ${cores.toFixed(2)} cores. Seconds to recover mean little; stop them and run again.`;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof StackProblem ? error.exitCode : 1);
  },
);
