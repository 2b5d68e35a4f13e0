import { spawn } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../../tools/local-stack/project-root';
import { StackProblem } from '../../tools/local-stack/stack-problem';
import type { Lab } from '../lab';
import type { Result } from '../result';

interface Month {
  readonly days: number;
  readonly workers: number;
  /** Share of the 24-hour quota, 0 to 1. */
  readonly quotaUsed: number;
  readonly exceedances: number;
}

/** Thirty days do not fit into a benchmark: the deterministic simulation runs the engine's own classes through them. */
export async function b03(lab: Lab): Promise<Result> {
  lab.progress('thirty simulated days');
  const month = await simulate(lab);
  return {
    id: 'B3',
    measure: `24-hour quota used over ${month.days} simulated days, ${month.workers} workers, crashes`,
    figures: [
      {
        name: 'quota used',
        value: 100 * month.quotaUsed,
        unit: '%',
        target: { least: 99.7 },
        stretch: { least: 99.79 },
      },
      { name: 'exceedances', value: month.exceedances, unit: '', target: { most: 0 }, stretch: { most: 0 } },
    ],
    notes: [
      'By `npm run simulate -- --b3`: the engine on a virtual clock, judged by the simulated SES’s own exact window. The formula’s limit is 86,400 / (86,400 + 60 + 120) = 99.79 %.',
    ],
  };
}

async function simulate(lab: Lab): Promise<Month> {
  const child = spawn(process.execPath, [path.join(projectRoot(), 'tools', 'simulate.mjs'), '--b3', '--json'], {
    cwd: projectRoot(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let problem = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (problem = (problem + chunk.toString()).slice(-2_000)));
  const state: { code?: number | null } = {};
  child.on('close', (code) => (state.code = code));
  try {
    await lab.until('the end of the simulated month', 900, () => Promise.resolve(state.code !== undefined));
  } finally {
    if (state.code === undefined) child.kill('SIGTERM');
  }
  const last = out.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new StackProblem(`the simulation answered nothing: ${problem.trim()}`);
  return JSON.parse(last) as Month;
}
