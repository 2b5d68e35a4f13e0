import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { LoadWatch } from '../bench/load-watch';
import { LiveLine } from '../tools/local-stack/live-line';
import { BadArgument, readArguments, type SimulateArguments } from './arguments';
import { engineWith, type EngineFault } from './broken-engine';
import type { Violation } from './checker';
import { Month } from './month';
import { playSeed, type SeedResult } from './run';

/** Of one account in the month: large enough that its headroom is a small share of it. */
const MONTH_QUOTA = 500_000;
const MONTH_RATE = 50;
/** What a seed, and a day of the month, take on an idle core. */
const SECONDS_A_SEED = 0.3;
const SECONDS_A_DAY = 4;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const live = new LiveLine(process.stderr);
/** Other systems do not tell what else runs on the machine. */
const load = existsSync('/proc/stat') ? new LoadWatch() : undefined;

function sayPlan(what: string, seconds: number): void {
  say(
    `plan: ${what}, about ${seconds < 60 ? `${String(Math.ceil(seconds))} s` : `${String(Math.ceil(seconds / 60))} min`}`,
  );
}

function sayIfBusy(): void {
  load?.foreignCores();
  if (load?.isBusy !== true) return;
  say(
    `THE MACHINE IS BUSY: other programs used ${load.worstCores.toFixed(2)} cores. How long this took means little; what it found is ` +
      'the same, its clock is virtual.',
  );
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(1);
}

async function playSeeds(args: SimulateArguments): Promise<boolean> {
  const began = performance.now();
  const first = args.seed ?? args.from;
  const count = args.seed === undefined ? args.seeds : 1;
  // With --json stdout belongs to the one object at the end.
  const out = args.json ? process.stderr : process.stdout;
  const print = args.trace ? (line: string) => out.write(`${line}\n`) : undefined;
  sayPlan(
    count === 1 ? `seed ${String(first)}` : `seeds ${String(first)} to ${String(first + count - 1)}`,
    count * SECONDS_A_SEED,
  );
  const failed: SeedResult[] = [];
  const sums = { accepted: 0, taken: 0, duplicates: 0, crashes: 0 };
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await playSeed(seed, args.fault, print);
    for (const key of ['accepted', 'taken', 'duplicates', 'crashes'] as const) sums[key] += result[key];
    if (result.violations.length > 0) {
      failed.push(result);
      report(result, args.fault);
    }
    live.show(
      `seed ${String(seed)} of ${String(first + count - 1)}, ${String(failed.length)} failed, ${seconds(began)} s`,
    );
    if (count === 1) say(`trace hash ${result.hash}`);
  }
  live.finish();
  say(
    `${String(count)} seeds in ${seconds(began)} s: ${String(sums.accepted)} messages accepted, ${String(sums.taken)} recipients ` +
      `taken by SES, ${String(sums.crashes)} workers killed, ${String(sums.duplicates)} second copies that nobody could have ` +
      `prevented, ${String(failed.length)} seeds with a broken rule`,
  );
  sayIfBusy();
  if (args.json) process.stdout.write(`${JSON.stringify({ seeds: count, violations: failed.length })}\n`);
  return failed.length === 0;
}

function report({ seed, violations }: SeedResult, fault: EngineFault | undefined): void {
  const [first] = violations;
  if (first === undefined) return;
  live.finish();
  say(`seed ${String(seed)} broke a rule ${String(violations.length)} times; the first:`);
  for (const line of describe(first)) say(line);
  const broken = fault === undefined ? '' : ` --broken ${fault}`;
  say(`  replay: npm run simulate -- --seed ${String(seed)} --trace${broken}`);
}

function describe({ rule, what, atMs, before }: Violation): string[] {
  return [`  ${rule} at ${(atMs / 1000).toFixed(3)} s: ${what}`, ...before.slice(-12).map((line) => `    ${line}`)];
}

async function playMonth(args: SimulateArguments): Promise<boolean> {
  const began = performance.now();
  const { days, workers } = args;
  sayPlan(`${String(days)} days, ${String(workers)} workers`, days * SECONDS_A_DAY * (workers / 8));
  const month = new Month({
    days,
    workers,
    seed: args.seed ?? args.from,
    quota: MONTH_QUOTA,
    rate: MONTH_RATE,
    engine: engineWith(args.fault),
    onDay: (day) => {
      live.show(`day ${String(day)} of ${String(days)}, ${seconds(began)} s`);
    },
  });
  const result = await month.play();
  live.finish();
  say(
    `${String(days)} days, ${String(workers)} workers in ${seconds(began)} s: ${(result.quotaUsed * 100).toFixed(2)} % of the quota used, ` +
      `${String(result.exceedances)} times over it, ${String(result.messages)} messages, ${String(result.crashes)} workers killed, ` +
      `${String(result.lost)} lost, ${String(result.duplicates)} second copies that nobody could have prevented`,
  );
  sayIfBusy();
  if (args.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  return result.violations === 0;
}

// Nobody reads any more (`--trace | head`): the reason to end, with the shell's own number for it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(141));

void (async () => {
  try {
    const args = readArguments(process.argv.slice(2));
    process.exitCode = (await (args.month ? playMonth(args) : playSeeds(args))) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof BadArgument)) throw error;
    say(`error: ${error.message}`);
    process.exitCode = 2;
  }
})();
