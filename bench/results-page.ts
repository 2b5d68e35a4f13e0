import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem, release } from 'node:os';
import path from 'node:path';
import { SystemClock } from '@libs/kernel';
import { projectRoot } from '../tools/local-stack/project-root';
import type { BenchArguments } from './arguments';
import type { LoadWatch } from './load-watch';
import { markdownLosses, markdownNotes, markdownTable } from './report';
import type { Outcome } from './result';

/** Writes bench/RESULTS.md: the template's words around the figures of this run. Answers the file. */
export function writeResults(args: BenchArguments, versions: string, outcome: Outcome, load: LoadWatch): string {
  const folder = path.join(projectRoot(), 'bench');
  const values: Record<string, string> = {
    DATE: new SystemClock().now().toISOString().slice(0, 10),
    MACHINE: `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}`,
    VERSIONS: versions,
    CONDITIONS: `${args.slices} slices of ${args.seconds} s, seed ${args.seed}${args.long ? ', --long' : ''}; ${(outcome.took.reduce((sum, { seconds }) => sum + seconds, 0) / 60).toFixed(1)} min in all; foreign load at most ${load.worstCores.toFixed(2)} cores${load.isBusy ? ' (BUSY: timings mean little)' : ''}`,
    TABLE: markdownTable(outcome),
    LOSSES: markdownLosses(outcome.results),
    NOTES: markdownNotes(outcome.results),
  };
  const template = readFileSync(path.join(folder, 'RESULTS.template.md'), 'utf8');
  const page = template.replaceAll(/\{\{([A-Z]+)\}\}/g, (_, name: string) => values[name] ?? '');
  const file = path.join(folder, 'RESULTS.md');
  writeFileSync(file, page);
  return path.relative(projectRoot(), file);
}
