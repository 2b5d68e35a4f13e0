import { spawn } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../../tools/local-stack/project-root';
import { StackProblem } from '../../tools/local-stack/stack-problem';
import { seedAttempts, seedBooks } from '../books/seed-books';
import type { Lab } from '../lab';
import type { Result } from '../result';

const TENANTS = 5_000;
const ATTEMPTS = 100_000_000;
const DAY_ATTEMPTS = 5_000_000;
const BILL_LINES = 1_000_000;

interface MonthFigures {
  readonly closeSeconds: number;
  readonly closeMb: number;
  readonly recomputedEqual: boolean;
  readonly importSeconds: number;
  readonly billMb: number;
  readonly lines: string;
  readonly allocations: string;
  readonly drafts: string;
}

interface DayFigures {
  readonly rollUpSeconds: number;
  readonly rollUpMb: number;
  readonly slowestWriteMs: number;
  readonly written: number;
}

/** The close of a large month from its roll-ups, its recomputation, a large day's roll-up and a large bill. */
export async function b16(lab: Lab): Promise<Result> {
  const database = await lab.database();
  try {
    const { client } = database;
    const settings = {
      urls: database.urls,
      superuserUrl: database.superuserUrl,
      redisUrl: lab.redisUrl,
      folder: lab.folder.path,
      billLines: BILL_LINES,
    };
    lab.progress('writing a month of roll-ups');
    await lab.unmeasured(() => seedBooks(client, { tenants: TENANTS, attempts: ATTEMPTS }));
    const month = await figuresOf<MonthFigures>(lab, { part: 'month', ...settings });
    lab.progress(`writing a day of ${DAY_ATTEMPTS} attempts`);
    await lab.unmeasured(() => seedAttempts(client, { tenants: TENANTS, attempts: DAY_ATTEMPTS }));
    const day = await figuresOf<DayFigures>(lab, { part: 'day', ...settings });
    return {
      id: 'B16',
      measure: 'close of a month of 5,000 tenants and 100 M attempts, from roll-ups to drafts',
      figures: [
        {
          name: 'rated, allocated, drafted',
          value: month.closeSeconds,
          unit: 's',
          target: { most: 60 },
          stretch: { most: 10 },
        },
        { name: 'memory', value: month.closeMb, unit: 'MB', target: { most: 512 }, stretch: { most: 512 } },
        {
          name: 'recomputed differently',
          value: month.recomputedEqual ? 0 : 1,
          unit: '',
          target: { most: 0 },
          stretch: { most: 0 },
        },
        {
          name: 'roll-up of 5 M attempts',
          value: day.rollUpSeconds,
          unit: 's',
          target: { most: 60 },
          stretch: { most: 30 },
        },
        {
          name: 'bill of 1 M lines',
          value: month.importSeconds,
          unit: 's',
          target: { most: 60 },
          stretch: { most: 20 },
        },
      ],
      notes: [
        `${month.lines} fleet lines, ${month.allocations} allocations, ${month.drafts} drafts; a second close gave the same to the byte of lines, allocations and inputs of drafts.`,
        `While the day was rolled up, ${day.written.toFixed(0)} attempts were written beside it; the slowest write of a hundred took ${day.slowestWriteMs.toFixed(0)} ms.`,
        `Memory is the most a process ever had: ${month.closeMb.toFixed(0)} MB with the close, ${month.billMb.toFixed(0)} MB with the bill too; ${day.rollUpMb.toFixed(0)} MB the one that rolls up.`,
      ],
    };
  } finally {
    await lab.drop(database);
  }
}

/** Runs a part of it to its end. */
async function figuresOf<Figures>(lab: Lab, settings: Record<string, unknown>): Promise<Figures> {
  const program = path.join(projectRoot(), 'dist', 'bench', 'books', 'close.main.js');
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let problem = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    problem = (problem + chunk.toString()).slice(-2_000);
    const said = chunk.toString().trim().split('\n').at(-1) ?? '';
    if (!said.startsWith('{')) lab.progress(said);
  });
  const state: { code?: number | null } = {};
  child.on('close', (code) => (state.code = code));
  try {
    await lab.until('the end of the close', 1_800, () => Promise.resolve(state.code !== undefined));
  } finally {
    if (state.code === undefined) child.kill('SIGTERM');
  }
  const last = out.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new StackProblem(`the close answered nothing: ${problem.trim()}`);
  return JSON.parse(last) as Figures;
}
