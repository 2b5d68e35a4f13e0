import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ALL_JOBS } from '../../apps/worker/src/jobs';

const LIBS = path.resolve(__dirname, '../../libs');

describe('the list of jobs', () => {
  it('names every job that a lib defines, so that the boot check can miss none', () => {
    const defined = readdirSync(LIBS, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.jobs.ts'))
      .flatMap((file) => [...readFileSync(path.join(LIBS, file), 'utf8').matchAll(/defineJob\(\{\s*name: '([^']+)'/g)])
      .map((match) => match[1]);
    expect(defined.length).toBeGreaterThan(5);
    expect(ALL_JOBS.map((job) => job.name).sort()).toEqual(defined.sort());
  });
});
