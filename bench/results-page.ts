import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem, release } from 'node:os';
import path from 'node:path';
import { SystemClock } from '@libs/kernel';
import { projectRoot } from '../tools/local-stack/project-root';
import type { Lab } from './lab';
import { markdownNotes, markdownTable } from './report';
import type { Failure, Result } from './result';

/** Writes bench/RESULTS.md: the template's words around the figures of this run. Answers the file. */
export async function writeResults(
  lab: Lab,
  results: readonly Result[],
  failures: readonly Failure[],
  load: { readonly busy: boolean; readonly foreignCores: number },
): Promise<string> {
  const folder = path.join(projectRoot(), 'bench');
  const values: Record<string, string> = {
    DATE: new SystemClock().now().toISOString().slice(0, 10),
    MACHINE: `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}`,
    VERSIONS: await lab.versions(),
    CONDITIONS: `${lab.args.slices} slices of ${lab.args.seconds} s, seed ${lab.args.seed}${lab.args.long ? ', --long' : ''}; foreign load at most ${load.foreignCores} cores${load.busy ? ' (BUSY: timings mean little)' : ''}`,
    TABLE: markdownTable(results, failures),
    NOTES: markdownNotes(results),
  };
  const template = readFileSync(path.join(folder, 'RESULTS.template.md'), 'utf8');
  const page = template.replaceAll(/\{\{([A-Z]+)\}\}/g, (_, name: string) => values[name] ?? '');
  const file = path.join(folder, 'RESULTS.md');
  writeFileSync(file, page);
  return path.relative(projectRoot(), file);
}
