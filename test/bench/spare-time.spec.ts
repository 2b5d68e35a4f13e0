import { SpareTime } from '../../bench/spare-time';
import { DataFolder } from '../../tools/local-stack/data-folder';
import type { StackProblem } from '../../tools/local-stack/stack-problem';
import { Supervisor } from '../../tools/local-stack/supervisor';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitFor } from '../support/wait-for';
import { script, temporaryFolder } from '../stack/fixtures';

/** Counts until there is such a file. */
const COUNTS = `
  let count = 0;
  setInterval(() => {
    count += 1;
    console.log(count);
    if (require('node:fs').existsSync(process.argv[1])) process.exit(0);
  }, 2);`;

describe('a program that runs in spare time', () => {
  const failures: StackProblem[] = [];
  const folder = new DataFolder(temporaryFolder());
  const supervisor = new Supervisor(folder, (problem) => failures.push(problem));
  afterAll(() => supervisor.stopAll());

  it('goes on while nothing is measured, stands still otherwise, and may end', async () => {
    const counted = () => readFileSync(path.join(folder.logs, 'counter.log'), 'utf8').split('\n').length - 1;
    const end = path.join(temporaryFolder(), 'end');
    const spare = new SpareTime(await supervisor.start(script('counter', COUNTS, { args: ['-e', COUNTS, end] })));

    await spare.during(() => waitFor(() => counted() > 3, { what: 'it to go on' }));
    const before = counted();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(counted() - before).toBeLessThanOrEqual(1);

    await expect(spare.during(() => Promise.reject(new Error('of the work')))).rejects.toThrow('of the work');
    writeFileSync(end, '');
    await spare.toTheEnd();
    expect(counted()).toBeGreaterThan(before);
    expect(failures).toEqual([]);
  });
});
