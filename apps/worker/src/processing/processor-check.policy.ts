/** What is wrong between the jobs that exist and the processors that were found; empty when all is well. */
export function processorProblems(jobs: readonly string[], processed: readonly string[]): string[] {
  const problems: string[] = [];
  for (const job of new Set([...jobs, ...processed])) {
    const count = processed.filter((name) => name === job).length;
    if (!jobs.includes(job)) problems.push(`"${job}" has a processor but stands on no list of jobs`);
    else if (count === 0) problems.push(`job "${job}" has no processor`);
    if (count > 1) problems.push(`job "${job}" has ${String(count)} processors`);
  }
  return problems;
}
