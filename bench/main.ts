import path from 'node:path';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { typedPath } from '@libs/config';
import { DataFolder } from '../tools/local-stack/data-folder';
import { LiveLine } from '../tools/local-stack/live-line';
import { withSupervisor } from '../tools/local-stack/launcher';
import { projectRoot } from '../tools/local-stack/project-root';
import { StackProblem } from '../tools/local-stack/stack-problem';
import { BENCH_IDS, parseBenchArguments } from './arguments';
import { b10 } from './arms/b10-kills';
import { Lab } from './lab';
import { LoadWatch } from './load-watch';
import { LAB_IDS, measureInLab, planText } from './measures';
import { jsonReport, textReport } from './report';
import { targetMet, type Outcome } from './result';
import { writeResults } from './results-page';

async function main(): Promise<number> {
  // Customers live in this process, and its own long collections of garbage would be measured as the api's.
  setFlagsFromString('--heap-growing-percent=400');
  const args = parseBenchArguments(process.argv.slice(2));
  // With --json stdout belongs to the one object at the end.
  const out = args.json ? process.stderr : process.stdout;
  const say = (line: string) => void out.write(`${line}\n`);
  const folder = typedPath(args.data ?? path.join(projectRoot(), '.data', 'bench'));
  const started = performance.now();
  const elapsed = () => ((performance.now() - started) / 1_000).toFixed(0);
  const line = new LiveLine(out);
  const progress = (text: string) => {
    line.show(`${elapsed().padStart(4)} s  ${text}`);
  };
  const load = new LoadWatch();
  const outcome: Outcome = { results: [], failures: [], took: [] };
  let versions = `Node ${process.versions.node}`;

  // Both before anything is begun: the second is needed only after twenty minutes.
  const killsFolder = path.join(folder, 'kills');
  for (const one of [folder, killsFolder]) new DataFolder(one).claim();
  say(planText(args.only, args.long));
  if (args.only.some((id) => LAB_IDS.has(id))) {
    const code = await withSupervisor(folder, say, async (session) => {
      const lab = await Lab.boot(session, args, load, progress);
      try {
        versions = await lab.versions();
        await load.look(lab);
        if (load.isBusy) say(busyText(load));
        await measureInLab(lab, outcome);
      } finally {
        line.finish();
        lab.close();
      }
    });
    if (code !== 0) return endEarly(code, outcome, say);
  }
  if (args.only.includes('B10')) {
    const began = performance.now();
    const code = await withSupervisor(killsFolder, say, async (session) => {
      try {
        outcome.results.push(await b10(session, args, progress));
      } catch (error) {
        if (session.ending.aborted) throw error;
        outcome.failures.push({ id: 'B10', error: error instanceof Error ? error.message : inspect(error) });
      } finally {
        line.finish();
      }
    });
    if (code !== 0) return endEarly(code, outcome, say);
    outcome.took.push({ ids: ['B10'], seconds: (performance.now() - began) / 1_000 });
    load.foreignCores();
  }

  const place = (one: { readonly id: (typeof BENCH_IDS)[number] }) => BENCH_IDS.indexOf(one.id);
  outcome.results.sort((a, b) => place(a) - place(b));
  say(`\n${textReport(outcome)}\n`);
  if (load.isBusy) say(busyText(load));
  const missed = outcome.results.filter((result) => !targetMet(result)).map(({ id }) => id);
  if (missed.length > 0) say(`targets missed: ${missed.join(', ')}`);
  const took = outcome.took.map(({ ids, seconds }) => `${ids.join(' ')} ${seconds.toFixed(0)} s`);
  say(`${elapsed()} s in all: ${took.join(', ')}`);
  if (args.writeResults) say(`written: ${writeResults(args, versions, outcome, load)}`);
  if (args.json) process.stdout.write(`${jsonReport(outcome, load)}\n`);
  return outcome.failures.length > 0 ? 1 : 0;
}

/** An interrupted run is no report, and says what it has measured all the same. */
function endEarly(code: number, outcome: Outcome, say: (line: string) => void): number {
  if (outcome.results.length > 0) say(`\nmeasured before the run ended:\n${textReport(outcome)}`);
  return code;
}

function busyText({ worstCores }: LoadWatch): string {
  return `THE MACHINE IS BUSY: other programs use up to ${worstCores.toFixed(2)} cores. Timings of this run mean little; stop them and run again.`;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`error: ${error instanceof StackProblem ? error.message : inspect(error)}\n`);
    process.exit(error instanceof StackProblem ? error.exitCode : 1);
  },
);
