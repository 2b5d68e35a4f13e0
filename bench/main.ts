import path from 'node:path';
import { LiveLine } from '../tools/local-stack/live-line';
import { withSupervisor, type Session } from '../tools/local-stack/launcher';
import { projectRoot } from '../tools/local-stack/project-root';
import { StackProblem } from '../tools/local-stack/stack-problem';
import { parseBenchArguments, type BenchArguments } from './arguments';
import { Lab } from './lab';
import { measureAll } from './measures';
import { jsonReport, textReport } from './report';
import { writeResults } from './results-page';
import { targetMet } from './result';

async function main(): Promise<number> {
  const args = parseBenchArguments(process.argv.slice(2));
  // With --json stdout belongs to the one object at the end.
  const out = args.json ? process.stderr : process.stdout;
  const say = (line: string) => void out.write(`${line}\n`);
  const folder = path.resolve(args.data ?? path.join(projectRoot(), '.data', 'bench'));
  return withSupervisor(folder, say, (session) => run(session, args, new LiveLine(out)));
}

async function run(session: Session, args: BenchArguments, line: LiveLine): Promise<void> {
  const { say } = session;
  const started = performance.now();
  const progress = (text: string) => {
    line.show(`${((performance.now() - started) / 1_000).toFixed(0).padStart(4)} s  ${text}`);
  };
  const lab = await Lab.boot(session, args, progress);
  try {
    await warnIfBusy(lab, say);
    const { results, failures } = await measureAll(lab);
    line.finish();
    say(`\n${textReport(results, failures)}\n`);
    const load = { busy: lab.load.isBusy, foreignCores: Number(lab.load.worstCores.toFixed(2)) };
    if (load.busy) say(busyText(load.foreignCores));
    say(`${((performance.now() - started) / 1_000).toFixed(0)} s in all`);
    if (args.writeResults) say(`written: ${await writeResults(lab, results, failures, load)}`);
    if (args.json) process.stdout.write(`${jsonReport(results, failures, load)}\n`);
    if (failures.length > 0) throw new StackProblem(`not measured: ${failures.map(({ id }) => id).join(', ')}`);
    const missed = results.filter((result) => !targetMet(result)).map(({ id }) => id);
    if (missed.length > 0) say(`targets missed: ${missed.join(', ')}`);
  } finally {
    line.finish();
    lab.close();
  }
}

/** Looked at before anything is measured; during the run every measure looks again. */
async function warnIfBusy(lab: Lab, say: (text: string) => void): Promise<void> {
  lab.load.foreignCores();
  await lab.wait(1);
  const cores = lab.load.foreignCores();
  if (lab.load.isBusy) say(busyText(cores));
}

function busyText(cores: number): string {
  return `THE MACHINE IS BUSY: other programs use up to ${cores.toFixed(2)} cores. Timings of this run mean little; stop them and run again.`;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
