import path from 'node:path';
import { inspect } from 'node:util';
import { typedPath } from '@libs/config';
import { parseArguments, type StackArguments } from './arguments';
import { demoDay, type DemoResult } from './demo';
import { addsUp } from './demo-bill';
import { aligned, summaryTable } from './demo-summary';
import { ownEnvironment } from './environment';
import { untilEnding, withSupervisor, type Session } from './launcher';
import { LiveLine } from './live-line';
import { projectRoot } from './project-root';
import { isSeeded, seedFleet, type SeededFleet } from './seed';
import { bootStack, redisPackagesFolder, type Stack } from './stack';
import { StackProblem } from './stack-problem';

async function main(): Promise<number> {
  const args = parseArguments(process.argv.slice(2));
  // With --json stdout belongs to the one object at the end.
  const out = args.json ? process.stderr : process.stdout;
  const say = (line: string) => void out.write(`${line}\n`);
  const folder = typedPath(args.data ?? path.join(projectRoot(), '.data'));
  return withSupervisor(folder, say, (session) => run(session, args));
}

async function run({ folder, supervisor, say, ending }: Session, args: StackArguments): Promise<void> {
  if (args.reset) folder.reset();
  const firstStart = !isSeeded(folder);
  const stack = await bootStack(supervisor, {
    folder,
    env: ownEnvironment(),
    port: args.port,
    seed: args.seed,
    applications: ['simulator', 'api', 'worker'],
    workers: args.workers,
    redisCluster: args.redisCluster,
    // A day that is judged must not hide a crash.
    revive: !args.once,
    redisPackages: redisPackagesFolder(path.join(projectRoot(), '.data')),
    say,
  });
  const fleet = await seedFleet(stack, say);
  // A later start is there at once; the day is played again when it is asked for.
  const result = firstStart || args.playDay ? await playDay(stack, fleet, args, ending, say) : undefined;
  if (result) say(`\n${summaryTable(result)}\n`);
  say(addresses(stack, fleet));
  if (args.json) process.stdout.write(`${JSON.stringify({ ...result, apiUrl: stack.apiUrl })}\n`);
  if (args.once) {
    if (result && !isSound(result))
      throw new StackProblem('the day did not end as it must: see the last line of the summary');
    return;
  }
  say(`up after ${String(Math.round(performance.now() / 100) / 10)} s; Ctrl-C stops everything`);
  await untilEnding(ending);
}

async function playDay(
  stack: Stack,
  fleet: SeededFleet,
  args: StackArguments,
  ending: AbortSignal,
  say: (line: string) => void,
): Promise<DemoResult> {
  const { messages, seed, killWorker } = args;
  say(`a day of mail: ${String(messages)} messages through ${String(fleet.tenants.length)} tenants`);
  const display = new LiveLine(args.json ? process.stderr : process.stdout);
  try {
    return await demoDay(stack, fleet, {
      messages,
      seed,
      killWorker,
      ending,
      progress: (line) => {
        display.show(line);
      },
      say: (line) => {
        display.finish();
        say(line);
      },
    });
  } finally {
    display.finish();
  }
}

/** What must hold whatever happened on the way. */
function isSound({ lost, duplicated, overQuota, overRate, inDoubt, bill }: DemoResult): boolean {
  return lost + duplicated + overQuota + overRate + inDoubt === 0 && addsUp(bill);
}

function addresses(stack: Stack, fleet: SeededFleet): string {
  const lines = [
    ['customers', `${stack.apiUrl}/graphql`],
    ['operators', `${stack.apiUrl}/admin/graphql`],
    ['simulator', `${stack.simulatorUrl} (admin ${stack.simulatorAdminUrl})`],
    ['PostgreSQL', stack.superuserUrl],
    ['for commands', `DATABASE_ADMIN_URL=${stack.databaseUrls.admin}`],
    ['Redis', stack.redisUrl],
    ['logs', stack.folder.logs],
  ];
  const keys = [
    ['operator', fleet.operatorKey],
    ...fleet.tenants.slice(0, 2).flatMap((tenant) => [
      [`${tenant.name}, live (from @${tenant.domain})`, tenant.liveKey],
      [`${tenant.name}, test`, tenant.testKey],
    ]),
  ];
  return `${aligned(lines)}\nkeys (all of them: ${path.join(stack.folder.path, 'fleet.json')})\n${aligned(keys)}`;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`error: ${error instanceof StackProblem ? error.message : inspect(error)}\n`);
    process.exit(error instanceof StackProblem ? error.exitCode : 1);
  },
);
