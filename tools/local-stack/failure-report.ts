import { statfsSync } from 'node:fs';
import { inspect } from 'node:util';
import { StackProblem, UsageProblem } from './stack-problem';

/** Below this PostgreSQL may find no room for its next two segments of the log, 16 MB each, beside what others write. */
const NEARLY_FULL_BYTES = 64e6;

/**
 * What a person is told of the problem that ended a run. On a full disk each part fails in words of its own, which say nothing of
 * the disk when PostgreSQL has died of it.
 */
export function failureText(problem: unknown, folder: string, freeBytes = roomBelow(folder)): string {
  if (problem instanceof UsageProblem || freeBytes >= NEARLY_FULL_BYTES) {
    return `error: ${problem instanceof StackProblem ? problem.message : inspect(problem)}`;
  }
  const full =
    `the disk of ${folder} is full or nearly so (${String(Math.floor(freeBytes / 1e6))} MB left). ` +
    'Make room, or give --data a folder on another disk';
  if (problem instanceof StackProblem) return `error: ${problem.message}\n${full}`;
  const [what = ''] = (problem instanceof Error ? problem.message : inspect(problem)).split('\n');
  return `error: ${full}. What failed: ${what}`;
}

function roomBelow(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Infinity; // removed meanwhile: then there is nothing to say about it
  }
}
